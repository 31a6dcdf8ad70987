// Completes a colleague's name after an @. Without this script the boxes under the text say who is told.
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLocaleLowerCase();

for (const area of document.querySelectorAll("textarea[data-names]")) {
  const boxes = [...area.form.querySelectorAll(`input[name="${area.dataset.names}"]`)];
  const people = boxes.map((box) => ({ box, name: box.labels[0].textContent }));
  if (!people.length) continue;
  const list = document.createElement("ul");
  list.className = "names";
  list.id = `${area.id}-names`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", area.form.querySelector("fieldset legend, summary").textContent.trim());
  list.hidden = true;
  area.after(list);
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  let found = [], at = -1, start = 0;

  const close = () => { list.hidden = true; found = []; area.removeAttribute("aria-activedescendant"); };
  const mark = (to) => {
    at = (to + found.length) % found.length;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === at)));
    area.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  };
  const take = ({ box, name }) => {
    const end = area.selectionStart;
    area.setRangeText(`@${name} `, start, end, "end");
    box.checked = true;
    const fold = box.closest("details");
    if (fold) fold.open = true;
    close();
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const look = () => {
    const before = area.value.slice(0, area.selectionStart);
    const typed = /(?:^|[^A-Za-z0-9._%+-])[@＠]([^@＠\n]{0,40})$/u.exec(before);
    if (!typed) return close();
    start = before.length - typed[1].length - 1;
    const asked = fold(typed[1]);
    // Any word of a name may come first; a whole name with a space behind it is done.
    found = people.filter(({ name }) => fold(name).split(/\s+/).some((_, i, parts) => parts.slice(i).join(" ").startsWith(asked))
      && !(asked.endsWith(" "))).slice(0, 8);
    if (!found.length) return close();
    list.replaceChildren(...found.map((one, i) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${i}`;
      item.setAttribute("role", "option");
      item.textContent = one.name;
      item.addEventListener("pointerdown", (event) => { event.preventDefault(); take(one); });
      return item;
    }));
    list.hidden = false;
    mark(0);
  };
  area.addEventListener("input", look);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    if (event.key === "ArrowDown") mark(at + 1);
    else if (event.key === "ArrowUp") mark(at - 1);
    else if (event.key === "Enter" || event.key === "Tab") take(found[at]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}
