// Before anything is drawn: the theme that was chosen here the last time, if any.
'use strict';
(() => {
  try {
    const chosen = localStorage.getItem('understudy-theme');
    if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden: then it is as the system says.
  }
})();
