// A prediction with a few possible answers: the one that is clicked is judged, and the answer opens.
for (const choices of document.querySelectorAll(".choices")) {
  choices.addEventListener("click", (event) => {
    const chosen = event.target.closest("button");
    if (!chosen) return;
    for (const button of choices.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", button === chosen);
    }
    choices.nextElementSibling.textContent = chosen.dataset.verdict;
    let cell = choices.closest(".cell");
    while (cell && !cell.querySelector("details.answer")) cell = cell.nextElementSibling;
    if (cell) cell.querySelector("details.answer").open = true;
  });
}
