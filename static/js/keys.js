// Keys for those who work here all day. Every key presses a link or button that is there to be seen; without this file
// nothing is missing. Single letters can be switched off on the page of the keys, and never act while one types.
const all = (selector) => [...document.querySelectorAll(selector)];
const seen = (element) => element && element.getClientRects().length > 0;
const first = (selector) => all(selector).find(seen);
const press = (element) => { if (seen(element)) { remember(); element.click(); return true; } return false; };
const store = {
  get(area, key) { try { return area.getItem(key); } catch { return null; } },
  set(area, key, value) { try { area.setItem(key, value); } catch { /* switched off */ } },
};
const off = () => store.get(localStorage, "keys") === "off";
// A page that was come to by a key begins in its first field.
const remember = () => store.set(sessionStorage, "by-key", "1");

function typing(target) {
  return target.closest("input:not([type=checkbox], [type=radio], [type=submit]), textarea, select, [contenteditable]");
}

// -- rows of a list ---------------------------------------------------------------------------------------------------

const rows = () => all("table.queue tbody a.t").filter(seen);

function go(step) {
  const links = rows();
  if (!links.length) {
    return press(first(step > 0 ? "a[rel=next]" : "a[rel=prev]"));
  }
  const row = document.activeElement.closest("table.queue tbody tr");
  const at = row ? links.indexOf(row.querySelector("a.t")) : step > 0 ? -1 : links.length;
  const link = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  link.focus();
  link.closest("tr").scrollIntoView({ block: "nearest" });
  return true;
}

function tick() {
  const row = document.activeElement.closest("table.queue tbody tr");
  const box = row && row.querySelector(".pick input");
  if (box) {
    box.click();
  }
  return Boolean(box);
}

const ticked = document.querySelector("#ticked");

function count() {
  const number = all(".pick input:checked").length;
  const text = number === 1 ? ticked.dataset.one : ticked.dataset.many.replace("{n}", number.toLocaleString(document.documentElement.lang));
  ticked.textContent = number ? text : "";
}

if (ticked) {
  document.addEventListener("change", (event) => { if (event.target.closest(".pick")) count(); });
  addEventListener("pageshow", count);
}

// -- the list of the keys -----------------------------------------------------------------------------------------

const make = (name, text = "", parts = []) => {
  const element = document.createElement(name);
  element.textContent = text;
  element.append(...parts);
  return element;
};

async function help() {
  const link = first("a[data-keys]");
  let dialog = document.querySelector("dialog.keys");
  if (!link || document.querySelector("main [data-keys-switch]")) {
    return;
  }
  if (!dialog) {
    const answer = await fetch(link.href, { headers: { Accept: "application/json" } });
    const told = await answer.json();
    const close = make("button", told.close);
    const box = Object.assign(make("input"), { type: "checkbox", id: "keys-switch" });
    const label = Object.assign(make("label", told.switch), { htmlFor: "keys-switch" });
    const choice = make("div", "", [box, label]);
    dialog = make("dialog", "", [make("h1", told.title), make("p", told.lede)]);
    for (const group of told.groups) {
      const list = make("dl", "", group.keys.flatMap(([keys, what]) => [
        make("dt", "", keys.flatMap((key) => [make("kbd", key), " "])), make("dd", what),
      ]));
      list.className = "keys";
      dialog.append(make("h2", group.title), list);
    }
    box.dataset.keysSwitch = "";
    choice.className = "choice";
    close.className = "btn btn-outline-secondary";
    close.addEventListener("click", () => dialog.close());
    dialog.className = "keys";
    dialog.setAttribute("aria-label", told.title);
    dialog.append(choice, close);
    document.body.append(dialog);
    switchable(dialog);
  }
  dialog.showModal();
}

function switchable(root) {
  const box = root.querySelector("[data-keys-switch]");
  if (box) {
    box.closest("[hidden]")?.removeAttribute("hidden");
    box.checked = !off();
    box.addEventListener("change", () => store.set(localStorage, "keys", box.checked ? "on" : "off"));
  }
}
switchable(document);

// -- keys ---------------------------------------------------------------------------------------------------------

const moves = {
  j: () => go(1),
  k: () => go(-1),
  x: tick,
  "/": () => {
    const field = document.querySelector("main input[data-complete], main input[type=search]");
    if (seen(field)) {
      field.focus();
      field.select();
      return true;
    }
    return press(document.querySelector("a[data-key='/']"));
  },
  "?": () => { help(); return true; },
  u: () => press(first("nav.crumbs a[href*='/inquiries']")),
  "g q": () => press(first("a[href$='/staff/inquiries']")),
};
let begun = ""; // "g" waits for a second key

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) {
    return;
  }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest("form") || document.querySelector("#step, #send");
    const button = form && (event.shiftKey ? form.querySelector("button[name=next]") : form.querySelector("button.btn-primary") || form.querySelector("button[type=submit]"));
    if (press(button)) {
      event.preventDefault();
    }
    return;
  }
  if (event.key === "Escape" && typing(event.target)) {
    event.target.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || off() || typing(event.target)) {
    return;
  }
  const key = begun + event.key;
  begun = "";
  const target = all("[data-key]").find((one) => one.dataset.key === key && (seen(one) || one.closest("details:not([open])")));
  if (target) {
    remember();
    if (target.matches("textarea, input")) target.focus();
    else target.click();
  } else if (moves[key]) {
    if (!moves[key]()) return;
  } else if (key === "g") {
    begun = "g ";
    setTimeout(() => { begun = ""; }, 1500);
  } else {
    return;
  }
  event.preventDefault();
});

if (store.get(sessionStorage, "by-key")) {
  try { sessionStorage.removeItem("by-key"); } catch { /* switched off */ }
  const form = document.querySelector("#step, #send");
  const field = form && [...form.elements].find((one) => seen(one) && one.type !== "hidden" && one.tagName !== "FIELDSET");
  if (field && !document.querySelector(".errors")) {
    field.focus();
  } else if (!form) {
    rows()[0]?.focus();
  }
}
