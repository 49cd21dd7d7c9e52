// Makes charts tell more under the pointer. Without this script every page is complete.
// The charts' script is large: it is fetched when a chart first comes near the screen.
const board = document.querySelector(".board");
let loading;

function load() {
  loading ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = board.dataset.script;
    script.onload = () => done(window.vegaEmbed);
    script.onerror = (error) => {
      loading = undefined;
      failed(error);
    };
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

const ROUNDS = 5;

// A server that is busy says when to ask again.
async function asked(address, round = 1) {
  const answer = await fetch(address);
  if (answer.ok) return answer.json();
  const after = Number(answer.headers.get("Retry-After"));
  if (!after || round === ROUNDS) throw new Error(`${answer.status}`);
  await new Promise((go) => setTimeout(go, after * 1000));
  return asked(address, round + 1);
}

async function enliven(figure) {
  const [embed, spec] = await Promise.all([
    load(),
    asked(figure.dataset.spec + (thin ? "&narrow=true" : "")),
  ]);
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
