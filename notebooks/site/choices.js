// A prediction with a few possible answers: the one that is clicked is judged, and its answer opens.
for (const choices of document.querySelectorAll(".choices")) {
  choices.addEventListener("click", (event) => {
    const chosen = event.target.closest("button");
    if (!chosen) return;
    for (const button of choices.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", button === chosen);
    }
    choices.nextElementSibling.textContent = chosen.dataset.verdict;
    let cell = choices.closest(".cell").nextElementSibling;
    for (; cell && cell.matches(".code_cell"); cell = cell.nextElementSibling) {
      for (const answer of cell.querySelectorAll("details.answer")) answer.open = true;
    }
  });
}
