// The picture of the months. The table below it holds the same figures; without this script nothing is missing.

const canvas = document.getElementById("chart");

function draw() {
  const { labels, values } = JSON.parse(canvas.dataset.chart);
  const tone = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const lira = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 0 });
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.color = tone("--chart-ink");
  return new Chart(canvas, {
    type: "bar",
    data: { labels, datasets: [{ data: values.map((kurus) => kurus / 100), backgroundColor: labels.map((_, place) => tone(place ? "--chart-month" : "--chart-before")), borderRadius: 3, maxBarThickness: 72 }] },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      plugins: { legend: { display: false }, tooltip: { callbacks: { label: (item) => `${lira.format(item.parsed.y)} ₺` } } },
      scales: {
        x: { grid: { display: false } },
        y: { border: { display: false }, grid: { color: tone("--chart-line") }, ticks: { maxTicksLimit: 5, callback: (value) => new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" }).format(value) } },
      },
    },
  });
}

if (canvas && window.Chart) {
  let chart = draw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { chart.destroy(); chart = draw(); });
}
