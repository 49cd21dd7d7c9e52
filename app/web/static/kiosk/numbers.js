// Reads numbers as people write them: the rule of surveys/numbers.py, for a device without a
// network. A test holds the two together; change neither alone.
const SIGNS = { vi: [".", ","], en: [",", "."] };
const OTHER = { vi: "en", en: "vi" };
// Whoever answers in a further language writes numbers as Vietnamese does.
const house = (language) => (language === "en" ? "en" : "vi");
const LONGEST = 40;

function valueOf(text, language) {
  const [group, point] = SIGNS[language];
  const sign = /^[+\-−]/.test(text) ? text[0] : "";
  const digits = text.slice(sign.length);
  const found = digits.length <= LONGEST && digits.match(new RegExp(`^([0-9]+|[1-9][0-9]{0,2}(?:\\${group}[0-9]{3})+)(?:\\${point}([0-9]+))?$`));
  if (!found) return null;
  const size = Number(`${found[1].replaceAll(group, "")}.${found[2] ?? 0}`);
  return size && sign && sign !== "+" ? -size : size;
}

/** A number as the service writes it: 12.345,6 in Vietnamese, 12,345.6 in English. */
export function written(value, decimals, language) {
  const [group, point] = SIGNS[house(language)];
  const [whole, rest] = Math.abs(value).toFixed(decimals).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, group);
  return (Number(value.toFixed(decimals)) < 0 ? "−" : "") + grouped + (rest ? point + rest : "");
}

/** A number without groups, as it is to be typed. */
const plain = (value, language) => String(value).replace("-", "−").replace(".", SIGNS[house(language)][1]);

/** {value}, or {two: [one, other]} where the text may say two numbers, or {} where it says none. */
export function read(text, decimals, language) {
  text = text.trim();
  language = house(language);
  const own = valueOf(text, language);
  const other = valueOf(text, OTHER[language]);
  if (own === null && other === null) return {};
  if (own === null || other === null || own === other) return { value: own ?? other };
  if (text.replace("-", "−").replace(/^\+/, "") === written(own, decimals, language)) return { value: own };
  return { two: [own, other].sort((a, b) => a - b).map((each) => plain(each, language)) };
}
