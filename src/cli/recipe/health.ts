import type { HealthConfig } from "../../types/api.ts";
import type { Option } from "./option.ts";
import { shellLine } from "./shell.ts";

const times = {
  Interval: ["--health-interval", "interval"],
  Timeout: ["--health-timeout", "timeout"],
  StartPeriod: ["--health-start-period", "start_period"],
  StartInterval: ["--health-start-interval", "start_interval"],
} as const;

const kinds: Record<string, string> = {
  "CMD-SHELL": "--health-cmd",
  TCP: "--health-tcp",
  HTTP: "--health-http",
  LOG: "--health-log",
};

/** A check that is the image's own is left out field by field; a command given as words becomes a line of shell. */
export function health(
  own: HealthConfig | undefined,
  image: HealthConfig | undefined,
  annotations: Readonly<Record<string, string>> | undefined,
): Option[] {
  const onFailure = annotations?.["berth.health.on-failure"];
  return [
    ...(own ? checkOptions(own, image) : []),
    ...(onFailure
      ? [
          {
            flag: "--health-on-failure",
            value: onFailure,
            key: "annotations",
            composed: { "berth.health.on-failure": onFailure },
          },
        ]
      : []),
  ];
}

function checkOptions(own: HealthConfig, image: HealthConfig | undefined): Option[] {
  const test = own.Test ?? [];
  if (test[0] === "NONE") return [{ flag: "--no-healthcheck", key: "healthcheck.disable", composed: true }];
  const options: Option[] = [];
  if (test.length > 0 && JSON.stringify(test) !== JSON.stringify(image?.Test))
    options.push({ ...testFlag(test), key: "healthcheck.test", composed: test });
  for (const [field, [flag, key]] of Object.entries(times) as [
    keyof typeof times,
    readonly [string, string],
  ][]) {
    const ns = own[field];
    if (ns && ns !== image?.[field])
      options.push({ flag, value: nanoseconds(ns), key: `healthcheck.${key}`, composed: nanoseconds(ns) });
  }
  if (own.Retries && own.Retries !== image?.Retries)
    options.push({
      flag: "--health-retries",
      value: String(own.Retries),
      key: "healthcheck.retries",
      composed: own.Retries,
    });
  return options;
}

function testFlag([kind = "", ...words]: readonly string[]): Pick<Option, "flag" | "value"> {
  if (kind === "CMD") return { flag: "--health-cmd", value: shellLine(words) };
  const flag = kinds[kind];
  return flag ? { flag, value: words[0] ?? "" } : {};
}

/** In the largest unit that tells it in whole numbers. */
export function nanoseconds(ns: number): string {
  for (const [unit, size] of [
    ["h", 3_600_000_000_000],
    ["m", 60_000_000_000],
    ["s", 1_000_000_000],
    ["ms", 1_000_000],
    ["us", 1000],
  ] as const)
    if (ns % size === 0) return `${ns / size}${unit}`;
  return `${ns}ns`;
}
