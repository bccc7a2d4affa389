// Sets the theme before the first paint; src/lib/theme.ts changes it later.
(function () {
  var chosen = localStorage.getItem('dvt.theme');
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
