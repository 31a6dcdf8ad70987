// Shows of the decision's form only what the chosen decision needs. Without this script all of it is there.
const parts = [...document.querySelectorAll("[data-for]")];
const choices = [...document.querySelectorAll('input[name="verdict"]')];

function fit() {
  const chosen = choices.find((choice) => choice.checked);
  for (const part of parts) {
    part.hidden = !chosen || !part.dataset.for.split(" ").includes(chosen.value);
  }
}

for (const choice of choices) {
  choice.addEventListener("change", fit);
}
fit();
