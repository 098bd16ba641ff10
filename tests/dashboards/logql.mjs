// Reads a JSON list of LogQL queries on stdin; prints a JSON list: null for each that parses, else what is wrong.
// Run with the folder that holds node_modules/@grafana/lezer-logql as its argument.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const { parser } = createRequire(`${process.argv[2]}/`)("@grafana/lezer-logql");

function fault(query) {
  let found = null;
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError && found === null) {
        found = `unexpected ${JSON.stringify(query.slice(node.from, node.from + 40))} at ${node.from}`;
      }
    },
  });
  return found;
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(fault)));
