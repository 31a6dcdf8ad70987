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
    let page;
    try {
      const answer = await fetch(form.action || location.href, { method: "POST", body: data, redirect: "error" });
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch { page = null; }
    const next = page?.querySelector(`textarea[name="${area.name}"]:not([hidden])`);
    // Whatever there is to say (a module that cannot be used, a session that has ended) the page itself says.
    if (!next || page.querySelector("[data-wording] .err, .errors")) { form.requestSubmit(button); return; }
    area.value = filled = next.value;
    for (const name of ["drafted_for", "filled_for"]) {
      const from = page.querySelector(`input[name="${name}"]`);
      const to = form.querySelector(`input[name="${name}"]`);
      if (from && to) to.value = from.value;
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
