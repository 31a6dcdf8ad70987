// Keeps a review while it is written: a moment after the last stroke, and when the page is left. Without this script
// "Save for later" does the same.
const form = document.querySelector("form[data-keep]");
const kept = document.querySelector("#kept");
const PAUSE = 1200;
const AGAIN = 10000;

let timer = 0;
let sending = false;
let changed = false;
let stopped = false;
let again = false; // the page was hidden while something was on its way

function say(text) {
  if (text && kept.textContent !== text) {
    kept.textContent = text;
  }
}

function later(wait) {
  clearTimeout(timer);
  timer = setTimeout(keep, wait);
}

async function keep(leaving = false) {
  if (!changed || stopped) {
    return;
  }
  if (sending) { // what is on its way brings the next revision
    again = again || leaving;
    return;
  }
  sending = true;
  changed = false;
  try {
    const answer = await fetch(form.dataset.keep, {
      method: "POST",
      body: new FormData(form),
      headers: { Accept: "application/json" },
      redirect: "manual",
      keepalive: leaving,
    });
    const type = answer.headers.get("Content-Type") || "";
    if (answer.type === "opaqueredirect" || !type.includes("json")) {
      changed = true;
      say(form.dataset.out);
      later(AGAIN);
      return;
    }
    const told = await answer.json();
    say(told.said);
    if (answer.ok) {
      form.elements.revision.value = told.revision;
    } else {
      stopped = answer.status === 409; // the person compares first
    }
  } catch {
    changed = true;
    say(form.dataset.trying);
    later(AGAIN);
  } finally {
    sending = false;
    if (again) {
      again = false;
      keep(true);
    } else if (changed && !stopped && !leaving) {
      later(PAUSE);
    }
  }
}

function touched() {
  changed = true;
  if (!sending) {
    later(PAUSE);
  }
}

form.addEventListener("input", touched);
form.addEventListener("change", touched);
form.addEventListener("submit", () => {
  stopped = true; // the button sends it all
});
if ("unsaved" in form.dataset) {
  touched(); // it came back with something missing: what is there is kept all the same
}
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") {
    keep(true);
  }
});
