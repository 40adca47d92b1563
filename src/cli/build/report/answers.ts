import type { WireOutline, WireTarget, WireWarning } from "../../../types/local-build.ts";
import { tableText } from "../../output/table-text.ts";
import { excerpt } from "./excerpt.ts";

/** What `--call` and `--check` print, as docker's client does. */
export interface Asked {
  dockerfile: { name: string; text: string };
  /** the Dockerfile's path as it is shown with places */
  shown: string;
  json: boolean;
}

const location = ({ start, end }: { start: number; end: number }) => ({
  ranges: [{ start: { line: start }, end: { line: end } }],
});

const source = (text: string): string => Buffer.from(text).toString("base64");

/** Sorted by line; ends with 1 when there is any. */
export function checkAnswer(warnings: readonly WireWarning[], asked: Asked): { text: string; code: number } {
  const { text } = asked.dockerfile;
  const code = warnings.length > 0 ? 1 : 0;
  if (asked.json) return { text: `${JSON.stringify(checkJson(warnings, asked), undefined, 2)}\n`, code };
  if (code === 0) return { text: "Check complete, no warnings found.\n", code };
  const head =
    warnings.length === 1
      ? "Check complete, 1 warning has been found!\n"
      : `Check complete, ${warnings.length} warnings have been found!\n`;
  const sorted = warnings.toSorted((one, other) => (one.lines[0]?.start ?? 0) - (other.lines[0]?.start ?? 0));
  const told = sorted.map(({ rule, url, short, lines }) => {
    const [first] = lines;
    const place = first ? excerpt(asked.shown, text, first) : "";
    return `\nWARNING: ${rule}${url ? ` - ${url}` : ""}\n${short}\n${place}`;
  });
  return { text: head + told.join(""), code };
}

const checkJson = (warnings: readonly WireWarning[], { dockerfile }: Asked) => ({
  warnings: warnings.map(({ rule, detail, url, short, lines }) => ({
    ruleName: rule,
    description: detail[0],
    url,
    detail: short,
    location: location(lines[0] ?? { start: 0, end: 0 }),
  })),
  sources: [{ filename: dockerfile.name, language: "Dockerfile", data: source(dockerfile.text) }],
});

export function outlineAnswer(outline: WireOutline, { dockerfile, json }: Asked): string {
  if (json) return `${JSON.stringify(outlineJson(outline, dockerfile.text), undefined, 2)}\n`;
  const { name, description, args, secrets, ssh } = outline;
  const parts: string[] = [];
  if (name !== "" || description !== "")
    parts.push(
      tableText(
        [["TARGET:", name || "(default)"], ...(description ? [["DESCRIPTION:", description]] : [])],
        1,
      ),
    );
  if (args.length > 0)
    parts.push(
      tableText(
        [
          ["BUILD ARG", "VALUE", "DESCRIPTION"],
          ...args.map((arg) => [arg.name, arg.value ?? "", arg.description]),
        ],
        3,
      ),
    );
  for (const [title, items] of [["SECRET", secrets] as const, ["SSH", ssh] as const])
    if (items.length > 0)
      parts.push(
        tableText([[title, "REQUIRED"], ...items.map((item) => [item.name, item.required ? "true" : ""])], 3),
      );
  return parts.map((part) => `${part}\n`).join("");
}

function outlineJson({ name, description, args, secrets, ssh }: WireOutline, text: string): object {
  const place = (line: number) => ({ location: location({ start: line, end: line }) });
  const items = (list: WireOutline["secrets"]) =>
    list.map((item) => ({
      name: item.name,
      ...(item.required ? { required: true } : {}),
      ...place(item.line),
    }));
  return {
    ...(name ? { name } : {}),
    ...(description ? { description } : {}),
    ...(args.length > 0
      ? {
          args: args.map((arg) => ({
            name: arg.name,
            ...(arg.description ? { description: arg.description } : {}),
            ...(arg.value ? { value: arg.value } : {}),
            ...place(arg.line),
          })),
        }
      : {}),
    ...(secrets.length > 0 ? { secrets: items(secrets) } : {}),
    ...(ssh.length > 0 ? { ssh: items(ssh) } : {}),
    sources: [source(text)],
  };
}

export function targetsAnswer(targets: readonly WireTarget[], { dockerfile, json }: Asked): string {
  if (json) return `${JSON.stringify(targetsJson(targets, dockerfile.text), undefined, 2)}\n`;
  const rows = targets.map(({ name, default: isDefault, description }) => [
    name === "" && isDefault ? "(default)" : isDefault ? `${name} (default)` : name,
    description,
  ]);
  return tableText([["TARGET", "DESCRIPTION"], ...rows], 1);
}

const targetsJson = (targets: readonly WireTarget[], text: string) => ({
  targets: targets.map((target) => ({
    ...(target.name ? { name: target.name } : {}),
    ...(target.default ? { default: true } : {}),
    ...(target.description ? { description: target.description } : {}),
    ...(target.base ? { base: target.base } : {}),
    ...(target.platform ? { platform: target.platform } : {}),
    location: location({ start: target.line, end: target.line }),
  })),
  sources: [source(text)],
});
