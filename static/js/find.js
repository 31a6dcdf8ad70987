// The search box says how its line can go on: a combobox with a list, as the ARIA practices describe it.
// Everything works without this file; text is set as text.
const box = document.querySelector("input[data-complete]");

if (box) {
  const list = document.createElement("ul");
  const status = document.createElement("span");
  list.id = `${box.id}-list`;
  list.className = "offers";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.list);
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  box.after(list, status);
  for (const [name, value] of Object.entries({
    role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id,
  })) box.setAttribute(name, value);

  let items = [];
  let active = -1;
  let asked = 0;
  let wait;

  const close = () => {
    clearTimeout(wait);
    asked += 1; // an answer that is still on its way is too late
    list.hidden = true;
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  };

  const mark = (next) => {
    active = next;
    [...list.children].forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    const option = list.children[active];
    if (!option) { box.removeAttribute("aria-activedescendant"); return; }
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  };

  const take = (item) => {
    const caret = box.selectionStart;
    const goesOn = item.text.endsWith(":");
    const before = `${box.value.slice(0, item.start)}${item.text}${goesOn ? "" : " "}`;
    box.value = before + box.value.slice(caret).replace(/^\s+/, "");
    box.setSelectionRange(before.length, before.length);
    close();
    if (goesOn) ask();
  };

  const show = () => {
    list.replaceChildren(...items.map((item, at) => {
      const option = document.createElement("li");
      const text = document.createElement("b");
      option.id = `${list.id}-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      text.textContent = item.text;
      option.append(text);
      if (item.about) option.append(" ", item.about);
      // The box keeps the focus.
      option.addEventListener("mousedown", (event) => event.preventDefault());
      option.addEventListener("click", () => take(item));
      return option;
    }));
    active = -1;
    box.removeAttribute("aria-activedescendant");
    list.hidden = !items.length;
    box.setAttribute("aria-expanded", String(Boolean(items.length)));
    status.textContent = items.length ? box.dataset.some.replace("{n}", items.length) : box.dataset.none;
  };

  async function ask() {
    const mine = asked += 1;
    const address = `${box.dataset.complete}?${new URLSearchParams({ q: box.value.slice(0, box.selectionStart) })}`;
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (mine !== asked || !answer.ok || document.activeElement !== box) return;
      ({ items } = await answer.json());
      if (mine === asked) show();
    } catch { /* no network: the line can still be typed */ }
  }

  box.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(() => (box.value.trim() ? ask() : close()), 120);
  });
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey) return;
    const open = !list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) ask();
      else {
        const last = items.length - 1;
        mark(event.key === "ArrowDown" ? (active < last ? active + 1 : 0) : (active > 0 ? active - 1 : last));
      }
    } else if (event.key === "Enter" && open && active >= 0) {
      event.preventDefault();
      take(items[active]);
    } else if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") close();
  });
  box.addEventListener("blur", close);
  box.form.addEventListener("submit", close);
}
