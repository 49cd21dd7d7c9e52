// Makes charts tell more under the pointer. Without this script every page is complete.
// The charts' script is large: it is fetched when a chart first comes near the screen.
const board = document.querySelector(".board");
let loading;

function load() {
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = board.dataset.script;
    script.onload = () => done(window.vegaEmbed);
    script.onerror = failed;
    document.head.append(script);
  });
  return loading;
}

const DECIMALS = {
  vi: { decimal: ",", thousands: ".", grouping: [3], currency: ["", "\u00a0₫"] },
  en: { decimal: ".", thousands: ",", grouping: [3], currency: ["", "\u00a0₫"] },
};

// As the style sheet has it: on a phone a chart is drawn for its width.
const thin = matchMedia("(max-width: 40rem)").matches;

async function enliven(figure) {
  const [embed, answer] = await Promise.all([
    load(),
    fetch(figure.dataset.spec + (thin ? "&narrow=true" : "")),
  ]);
  if (!answer.ok) return;
  const spec = await answer.json();
  const place = figure.querySelector(thin ? ".drawn.thin" : ".drawn.wide");
  const drawn = document.createElement("div");
  // By the syntax tree and its interpreter: the page's policy allows no evaluation of texts.
  await embed(drawn, spec, {
    ast: true,
    actions: false,
    renderer: "svg",
    defaultStyle: false,
    tooltip: { disableDefaultStyle: true, theme: "ours" },
    formatLocale: DECIMALS[board.dataset.language],
  });
  place.replaceChildren(drawn);
  figure.dataset.live = "";
}

if (board && matchMedia("(hover: hover)").matches) {
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      // A chart that cannot be enlivened stays the picture that it is.
      enliven(entry.target).catch((error) => console.info("chart", error));
    }
  }, { rootMargin: "200px" });
  for (const figure of document.querySelectorAll("figure[data-spec]")) seen.observe(figure);
}

// Tables under charts are printed, too.
window.addEventListener("beforeprint", () => {
  for (const each of document.querySelectorAll(".board details")) each.open = true;
});
