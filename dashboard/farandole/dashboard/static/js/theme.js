// Runs before anything is drawn: the theme that was chosen here.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("farandole.theme"); } catch { /* storage is off */ }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
