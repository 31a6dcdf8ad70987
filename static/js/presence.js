// Tells that this inquiry is open here, and shows who else has it open. Without this script the page's link
// "Who is here" shows the same at the moment it is opened.
const place = document.querySelector("[data-presence]");
const list = place.querySelector("[data-presence-list]");
const EVERY = 15000;
let typed = 0;
let asking = false;

document.addEventListener("input", (event) => {
  if (event.target.matches("textarea, input[type=text]")) {
    typed = Date.now();
  }
});

function body(extra) {
  const form = new FormData();
  form.set("csrf_token", place.dataset.token);
  for (const [name, value] of Object.entries(extra)) {
    form.set(name, value);
  }
  return form;
}

async function tell() {
  if (asking || document.hidden) {
    return;
  }
  asking = true;
  try {
    const answer = await fetch(place.dataset.presence, {
      method: "POST",
      body: body(Date.now() - typed < 2 * EVERY ? { writing: "1" } : {}),
      headers: { Accept: "application/json" },
      redirect: "manual",
    });
    if (answer.ok) {
      const told = await answer.json();
      const text = told.said;
      list.hidden = !text; // before it is filled: what is said in a hidden place is not read out
      if (list.textContent !== text) {
        list.textContent = text;
      }
    }
  } catch {
    // away for a moment: asked again
  } finally {
    asking = false;
  }
}

tell();
setInterval(tell, EVERY);
document.addEventListener("visibilitychange", tell);
addEventListener("pagehide", () => navigator.sendBeacon(place.dataset.presence, body({ leave: "1" })));
