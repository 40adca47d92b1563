import { expect, test } from "bun:test";
import { extraAttributes, type LogInfo, renderTag } from "./info.ts";
import { validateLogOptions } from "./options.ts";

/** What Docker 28.5 says to `create`. */
const refusals: [string, Record<string, string>, string][] = [
  ["zz", {}, 'error looking up logging plugin zz: plugin "zz" not found'],
  ["syslog", { x: "y" }, "unknown log opt 'x' for syslog log driver"],
  ["syslog", { "syslog-address": "foo" }, "unsupported scheme: ''"],
  ["syslog", { "syslog-address": "foo://1.2.3.4" }, "unsupported scheme: 'foo'"],
  ["syslog", { "syslog-address": "unix:///nonexistent" }, "stat /nonexistent: no such file or directory"],
  ["syslog", { "syslog-facility": "zz" }, "invalid syslog facility"],
  ["syslog", { "syslog-format": "zz" }, "Invalid syslog format"],
  ["syslog", { mode: "zz" }, "logger: logging mode not supported: zz"],
  [
    "syslog",
    { "max-buffer-size": "1m" },
    "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
  ],
  [
    "syslog",
    { mode: "non-blocking", "max-buffer-size": "zz" },
    "error parsing option max-buffer-size: invalid size: 'zz'",
  ],
  ["syslog", { "cache-disabled": "zz" }, "invalid value for option cache-disabled: zz"],
  ["gelf", { x: "y" }, "gelf-address is a required parameter"],
  ["gelf", { "gelf-address": "http://h:1" }, "gelf: endpoint needs to be TCP or UDP"],
  ["gelf", { "gelf-address": "udp://h" }, "gelf: please provide gelf-address as proto://host:port"],
  [
    "gelf",
    { "gelf-address": "udp://h:1", "gelf-compression-type": "zz" },
    'unknown value "zz" for log opt "gelf-compression-type" for gelf log driver',
  ],
  [
    "gelf",
    { "gelf-address": "tcp://h:1", "gelf-compression-level": "1" },
    "compression is only supported on UDP",
  ],
  [
    "gelf",
    { "gelf-address": "udp://h:1", "gelf-tcp-max-reconnect": "1" },
    '"gelf-tcp-max-reconnect" is only valid for TCP',
  ],
  [
    "gelf",
    { "gelf-address": "tcp://h:1", "gelf-tcp-reconnect-delay": "x" },
    '"gelf-tcp-reconnect-delay" must be a positive integer',
  ],
  [
    "fluentd",
    { "fluentd-address": "foo://x" },
    "invalid fluentd-address (foo://x): unsupported scheme: 'foo'",
  ],
  [
    "fluentd",
    { "fluentd-address": "host:port" },
    'invalid fluentd-address (host:port): parse "tcp://host:port": invalid port ":port" after host',
  ],
  [
    "fluentd",
    { "fluentd-address": "tcp://host/path" },
    "invalid fluentd-address (tcp://host/path): should not contain a path element",
  ],
  ["fluentd", { "fluentd-address": "unix://" }, "invalid fluentd-address (unix://): path is empty"],
  ["fluentd", { "fluentd-buffer-limit": "x" }, "invalid size: 'x'"],
  ["fluentd", { "fluentd-retry-wait": "x" }, 'time: invalid duration "x"'],
  ["fluentd", { "fluentd-async": "x" }, 'strconv.ParseBool: parsing "x": invalid syntax'],
  [
    "fluentd",
    { "fluentd-async-reconnect-interval": "1ms" },
    'invalid value for fluentd-async-reconnect-interval: value ("1ms") must be between 100ms and 10s',
  ],
  ["journald", { x: "y" }, "unknown log opt 'x' for journald log driver"],
  ["json-file", { x: "y" }, "unknown log opt 'x' for json-file log driver"],
  ["local", { tag: "zz" }, "unknown log opt 'tag' for log driver local"],
];

for (const [driver, options, sentence] of refusals)
  test(`${driver} ${JSON.stringify(options)} is refused as Docker refuses it`, () => {
    expect(() => validateLogOptions(driver, options)).toThrow(sentence);
  });

test("what Docker takes is taken", () => {
  for (const [driver, options] of [
    ["syslog", { "syslog-address": "udp://", "syslog-facility": "", "cache-max-size": "zz", tag: "{{" }],
    ["json-file", { "max-size": "zz", "max-file": "0", "cache-disabled": "true" }],
    ["gelf", { "gelf-address": "udp://h:1", "gelf-compression-level": "-1" }],
    ["fluentd", { "fluentd-address": "tcp://h", "fluentd-write-timeout": "5s" }],
    ["journald", { "labels-regex": "(" }],
    ["none", {}],
  ] as [string, Record<string, string>][])
    expect(() => validateLogOptions(driver, options)).not.toThrow();
});

const info: LogInfo = {
  containerId: "a".repeat(64),
  containerName: "web",
  imageId: `sha256:${"b".repeat(64)}`,
  imageName: "busybox",
  command: "sh -c true",
  created: "",
  labels: { team: "x", "team.lead": "y", other: "z" },
  env: ["FOO=a=b", "BAR=c", "EMPTY="],
};

test("a tag names what it is asked to", () => {
  expect(renderTag(info, {})).toBe("a".repeat(12));
  expect(renderTag(info, { tag: "{{.Name}}/{{.ImageName}}/{{.ImageID}}/{{.Command}}" })).toBe(
    "web/busybox/sha256:bbbbb/sh -c true",
  );
  expect(() => renderTag(info, { tag: "{{.Foo}}" })).toThrow(
    'template: log-tag:1:2: executing "log-tag" at <.Foo>: can\'t evaluate field Foo in type *logger.Info',
  );
});

test("labels and variables are picked by name and by pattern", () => {
  expect(extraAttributes(info, { labels: "team,none", env: "FOO" })).toEqual({ team: "x", FOO: "a=b" });
  expect(extraAttributes(info, { "labels-regex": "^team", "env-regex": "^(BAR|EMPTY)$" })).toEqual({
    team: "x",
    "team.lead": "y",
    BAR: "c",
    EMPTY: "",
  });
  expect(extraAttributes(info, { "labels-regex": "(" })).toEqual({});
});
