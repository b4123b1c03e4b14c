// Asks the search of the built pages, as a browser does: node search.cjs SITE, with a list of questions on standard input, both as JSON.
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [site] = process.argv.slice(2);
const folder = path.join(site, "assets/javascripts/workers");
const [worker] = fs.readdirSync(folder).filter((name) => /^search\..*\.js$/.test(name));
const { config, docs } = JSON.parse(fs.readFileSync(path.join(site, "search/search_index.json"), "utf8"));
let receive;
let answer;

class Worker {
  postMessage(data) {
    receive({ data });
  }
}

const scope = vm.createContext({
  addEventListener: (_, listener) => (receive = listener),
  console: { warn() {} },
  postMessage: (message) => answer(message),
  Worker,
});
scope.self = scope;
for (const script of [path.join(folder, worker), path.join(site, "javascripts/search.js")]) {
  vm.runInContext(fs.readFileSync(script, "utf8"), scope, script);
}

const send = (type, data) =>
  new Promise((resolve) => {
    answer = resolve;
    new Worker().postMessage({ type, data });
  });

(async () => {
  await send(0, { config, docs, options: { suggest: false } });
  const found = {};
  for (const question of JSON.parse(fs.readFileSync(0, "utf8"))) {
    const { data } = await send(2, question);
    found[question] = data.items.map(([first]) => first.location);
  }
  process.stdout.write(JSON.stringify(found));
})();
