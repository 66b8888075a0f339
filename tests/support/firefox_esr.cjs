// Playwright sends emulation.setMediaFeaturesOverride for every context. Firefox ESR does not know this command, so
// let its refusal pass. Loaded into Playwright's driver by NODE_OPTIONS=--require.
const Module = require("module");
const compile = Module.prototype._compile;
const command = '"emulation.setMediaFeaturesOverride"';
Module.prototype._compile = function (content, filename, ...rest) {
  const patched = filename.endsWith("coreBundle.js")
    ? content.replaceAll(`.send(${command}`, `.sendMayFail(${command}`)
    : content;
  return compile.call(this, patched, filename, ...rest);
};
