// Debian's Firefox, without a driver: it opens a page that does the test by
// itself and sends what it found to the server that it came from.
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

export const missing = (() => {
  try {
    accessSync(program, constants.X_OK);
    return false;
  } catch {
    return `no ${program}: install firefox-esr, or set FIREFOX`;
  }
})();

const settings = {
  'browser.aboutwelcome.enabled': false, 'browser.shell.checkDefaultBrowser': false, 'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false, 'toolkit.telemetry.reportingpolicy.firstRun': false, 'app.update.enabled': false,
  'extensions.getAddons.cache.enabled': false, 'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false,
};

/** Opens a page of a server (see serve.mjs) and gives what it posts to /report. */
export async function visit(server, path, minutes = 10) {
  const profile = mkdtempSync(join(tmpdir(), 'i2sb-firefox-'));
  writeFileSync(join(profile, 'user.js'), Object.entries(settings).map(([k, v]) => `user_pref(${JSON.stringify(k)}, ${JSON.stringify(v)});\n`).join(''));
  let browser;
  let clock;
  try {
    return await new Promise((done, failed) => {
      server.fault = (at, request, response) => {
        if (at !== '/report') return false;
        let text = '';
        request.setEncoding('utf8').on('data', (part) => { text += part; }).on('end', () => {
          response.writeHead(204).end();
          const { error, ...found } = JSON.parse(text);
          error ? failed(new Error(error)) : done(found);
        });
        return true;
      };
      let said = '';
      browser = spawn(program, ['--headless', '--no-remote', '--profile', profile, server.url + path], { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } });
      browser.stderr.on('data', (part) => { said += part; });
      browser.on('error', failed);
      browser.on('exit', (code) => failed(new Error(`Firefox ended (${code}): ${said.slice(-2000)}`)));
      clock = setTimeout(() => failed(new Error(`nothing came from Firefox in ${minutes} minutes: ${said.slice(-2000)}`)), minutes * 60_000);
    });
  } finally {
    clearTimeout(clock);
    server.fault = null;
    if (browser?.exitCode === null) {
      const ended = new Promise((done) => browser.once('exit', done));
      browser.kill();
      await ended;
    }
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
