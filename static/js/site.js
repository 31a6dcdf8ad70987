// Extras only: every page works without this file. Text is set as text, never as markup.
const all = (selector, root = document) => root.querySelectorAll(selector);
const lang = document.documentElement.lang;
const put = (text, n) => text.replace("{n}", n.toLocaleString(lang));

// Copy a link: the field beside the button, or the button's own text.
all("[data-copy]").forEach((button) => {
  const label = button.textContent;
  const status = document.createElement("span");
  status.setAttribute("role", "status");
  status.className = "visually-hidden";
  button.after(status);
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = button.parentElement.querySelector("[data-copy-from]");
    const text = button.dataset.copy || (source && (source.value || source.textContent)) || location.href;
    try {
      await navigator.clipboard.writeText(text.trim());
    } catch {
      if (!source || !source.select) return;
      source.select(); // no clipboard on plain http: leave it selected for the reader to copy
      return;
    }
    button.textContent = status.textContent = button.dataset.done || "✓";
    setTimeout(() => { button.textContent = label; status.textContent = ""; }, 3000);
  });
});

// Folded menus close with Escape and on a click elsewhere.
const folds = () => all("details[data-fold][open]");
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") folds().forEach((fold) => { fold.open = false; fold.firstElementChild.focus(); });
});
document.addEventListener("click", (event) => folds().forEach((fold) => { fold.open = fold.contains(event.target); }));

// Counter under long texts: seen at once, read out when typing rests.
all("[data-counter]").forEach((area) => {
  const note = document.getElementById(`${area.id}-count`);
  const most = Number(area.dataset.counter);
  if (!note || !most) return;
  const live = document.createElement("span");
  live.className = "visually-hidden";
  live.setAttribute("aria-live", "polite");
  note.after(live);
  let rest;
  const show = (event) => {
    const left = most - [...area.value.trim()].length;
    note.textContent = put(left < 0 ? note.dataset.over : note.dataset.left, Math.abs(left));
    note.classList.toggle("over", left < 0);
    clearTimeout(rest);
    if (event) rest = setTimeout(() => { live.textContent = note.textContent; }, 1200);
  };
  area.addEventListener("input", show);
  addEventListener("pageshow", () => show());
  show();
});

// Drafts stay in this browser alone, for seven days, and never on staff pages. Hidden fields, files, passwords
// and declarations (single checkboxes) are not kept.
const store = {
  get(key) { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or switched off */ } },
  drop(key) { try { localStorage.removeItem(key); } catch { /* switched off */ } },
};
const week = 7 * 24 * 3600 * 1000;
const draftable = (form) => [...form.elements].filter((field) => field.name && !field.closest("[data-no-draft], .hp")
  && !["hidden", "file", "password", "submit", "button", "fieldset"].includes(field.type)
  && !(field.type === "checkbox" && !(form.elements[field.name] instanceof RadioNodeList)));
const tick = (field) => field.type === "radio" || field.type === "checkbox";

all("[data-draft-clear]").forEach((mark) => store.drop(`draft:${mark.dataset.draftClear}`));
if (!document.body.classList.contains("staff")) all("form[data-draft]").forEach((form) => {
  const key = `draft:${form.dataset.draft}`;
  const kept = store.get(key);
  const fresh = draftable(form).every((field) => tick(field) ? !field.checked
    : field.tagName === "SELECT" ? field.selectedIndex <= 0 : !field.value);
  if (kept && Date.now() - kept.at > week) store.drop(key);
  else if (kept && fresh && !document.querySelector(".errors")) {
    draftable(form).forEach((field) => {
      const values = kept.values[field.name];
      if (!values) return;
      if (tick(field)) field.checked = values.includes(field.value);
      else [field.value] = values;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
    if (form.dataset.draftNote) {
      const note = document.createElement("p");
      const button = document.createElement("button");
      note.className = "note";
      note.setAttribute("role", "status");
      note.append(form.dataset.draftNote, " ", button);
      button.type = "button";
      button.className = "plain";
      button.textContent = form.dataset.draftDiscard || "✕";
      button.addEventListener("click", () => { clearTimeout(rest); store.drop(key); form.reset(); note.remove(); });
      form.prepend(note);
    }
  }
  let rest;
  form.addEventListener("input", () => {
    clearTimeout(rest);
    rest = setTimeout(() => {
      const values = {};
      draftable(form).forEach((field) => {
        if (tick(field) ? field.checked : field.value) (values[field.name] ||= []).push(field.value);
      });
      store.set(key, { at: Date.now(), values });
    }, 400);
  });
});

// One press sends once. The pressed button keeps its name and value; coming back to the page frees it.
const sent = new Set();
const free = () => { sent.clear(); all("[type=submit][aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled")); };
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || "resubmit" in form.dataset) return;
  if (sent.has(form)) { event.preventDefault(); return; }
  sent.add(form);
  all("[type=submit]", form).forEach((button) => button.setAttribute("aria-disabled", "true"));
  setTimeout(free, 10000); // an answer that never came, or a download
});
addEventListener("pageshow", free);

// Time left; data-now is the server's clock, in case this one is wrong.
all("[data-until]").forEach((place) => {
  const skew = place.dataset.now ? Date.parse(place.dataset.now) - Date.now() : 0;
  const end = Date.parse(place.dataset.until);
  const timer = setInterval(show, 1000);
  function show() {
    const left = Math.max(0, Math.ceil((end - Date.now() - skew) / 1000));
    place.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
    if (!left) clearInterval(timer);
  }
  show();
});
