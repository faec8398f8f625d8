// What a scan means: the rules, as on the portal (portal/packing/rules.py); a test compares the two.

function plain(barcode) {
  const code = barcode.trim().replace(/^\][A-Za-z][0-9A-Za-z]/, "").replace(/[a-z]/g, (c) => c.toUpperCase());
  return /^\d{12}$/.test(code) ? `0${code}` : code;
}

function decide(code) {
  const singles = [...lines.values()].filter((line) => plain(line.barcode) === code);
  if (singles.length) {
    const open = singles.find((line) => room(line) > 0);
    return open ? { verdict: "OK", line: open.id, pieces: 1 } : { verdict: "TOO_MANY", line: singles[0].id, pieces: 0 };
  }
  const cases = [...lines.values()].flatMap((line) =>
    Object.entries(line.cases).filter(([known]) => plain(known) === code).map(([, pieces]) => ({ line, pieces })));
  if (cases.length) {
    const fits = cases.find(({ line, pieces }) => room(line) >= pieces);
    return fits ? { verdict: "CASE", line: fits.line.id, pieces: fits.pieces }
      : { verdict: "TOO_MANY", line: cases[0].line.id, pieces: 0 };
  }
  return { verdict: "WRONG_ITEM", line: null, pieces: 0 };
}

const waitingFor = (id) => outbox.queue.reduce((sum, row) => sum + (row.task === task && row.line === id ? row.pieces : 0), 0);
const packed = (line) => line.packed + waitingFor(line.id);
const room = (line) => line.wanted - packed(line);
const complete = () => [...lines.values()].every((line) => room(line) <= 0);
