// Puts a text module into the text in place. What was typed is asked for first and can be put back.
for (const place of document.querySelectorAll("[data-wording]")) {
  const button = place.querySelector("button[name=use]");
  const form = button.form;
  const select = place.querySelector("select");
  const area = form.querySelector("textarea:not([hidden])");
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  status.className = "visually-hidden";
  place.append(status);
  let filled = "drafted" in place.dataset ? area.value : "";
  let chosen = select.value;

  const say = () => area.dispatchEvent(new Event("input", { bubbles: true }));
  const offerBack = (text) => {
    place.querySelector("[data-put-back]")?.remove();
    if (!text.trim()) return;
    const back = document.createElement("button");
    back.type = "button";
    back.className = "plain";
    back.dataset.putBack = "";
    back.textContent = place.dataset.back;
    back.addEventListener("click", () => { area.value = text; back.remove(); area.focus(); say(); });
    place.append(back);
  };

  const swap = async () => {
    const typed = area.value.trim() && area.value !== filled ? area.value : "";
    if (typed && !confirm(place.dataset.ask)) { select.value = chosen; return; }
    const data = new FormData(form);
    data.append("use", "1");
    let found = null;
    try {
      const answer = await fetch(location.href, { method: "POST", body: data, redirect: "error", headers: { Accept: "application/json" } });
      if (answer.ok) found = await answer.json();
    } catch { /* the page itself says what there is to say: a session that has ended, a network that is away */ }
    if (!found || found.refused) { form.requestSubmit(button); return; }
    area.value = filled = found.text;
    for (const [name, value] of Object.entries(found.hidden)) {
      const field = form.querySelector(`input[name="${name}"]`);
      if (field) field.value = value;
    }
    chosen = select.value;
    offerBack(typed);
    status.textContent = select.selectedOptions[0].textContent;
    say();
  };

  const pick = () => { if (select.value || "automatic" in place.dataset) swap(); };
  select.addEventListener("change", pick);
  button.addEventListener("click", (event) => { event.preventDefault(); pick(); });
}
