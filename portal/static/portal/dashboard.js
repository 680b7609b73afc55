"use strict";

// Draws what the tables beside the charts say.
(() => {
    const style = getComputedStyle(document.body);
    const probe = document.createElement("span");
    document.body.append(probe);
    const colour = (name) => {
        probe.style.color = `var(--${name})`;
        return getComputedStyle(probe).color;
    };
    const palette = ["accent", "good", "wait", "bad", "soft"];
    const language = document.documentElement.lang;
    const money = new Intl.NumberFormat(language, { style: "currency", currency: "BRL" });
    const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    let charts = [];

    const draw = () => {
        const data = JSON.parse(document.getElementById("charts").textContent);
        charts.forEach((chart) => chart.destroy());
        Chart.defaults.color = colour("ink");
        Chart.defaults.borderColor = colour("line");
        Chart.defaults.font.family = style.fontFamily;
        if (reduced) Chart.defaults.animation = false;
        const kinds = {
            days: { type: "bar", worth: true },
            statuses: { type: "bar", axis: "y", worth: false },
            channels: { type: "doughnut", worth: true },
        };
        charts = [...document.querySelectorAll("canvas[data-chart]")].map((canvas) => {
            const kind = kinds[canvas.dataset.chart];
            const rows = data[canvas.dataset.chart];
            const round = kind.type === "doughnut";
            const say = (value) => (kind.worth ? money.format(value) : String(value));
            const ticks = { callback: say, maxTicksLimit: 5 };
            if (!kind.worth) ticks.precision = 0; // there are no half orders
            const amounts = { ticks, beginAtZero: true };
            return new Chart(canvas, {
                type: kind.type,
                data: {
                    labels: rows.map((row) => row[0]),
                    datasets: [{
                        data: rows.map((row) => Number(row[1])),
                        backgroundColor: round
                            ? rows.map((_row, at) => colour(palette[at % palette.length]))
                            : colour("accent"),
                        borderColor: colour("card"),
                    }],
                },
                options: {
                    indexAxis: kind.axis || "x",
                    maintainAspectRatio: false,
                    scales: round ? {} : { [kind.axis ? "x" : "y"]: amounts },
                    plugins: {
                        legend: { display: round, position: "right" },
                        tooltip: { callbacks: { label: (item) => say(item.raw) } },
                    },
                },
            });
        });
    };
    draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    // The figures were exchanged; what only changed its height need not grow anew.
    document.addEventListener("htmx:afterSettle", () => {
        Chart.defaults.animation = false;
        draw();
    });
})();
