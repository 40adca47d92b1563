import { longName } from "../flags/flag.ts";
import { programName } from "../program.ts";
import { groups, type Leaf } from "./commands-table.ts";
import { commands, roles } from "./tree.ts";

/** A command's words and options, as completion offers them. */
interface Entry {
  path: string;
  summary: string;
  words: { name: string; summary: string }[];
}

const visible = (leaves: Record<string, { summary: string; hidden?: boolean }>): Entry["words"] =>
  Object.entries(leaves).flatMap(([name, { summary, hidden }]) => (hidden ? [] : [{ name, summary }]));

async function options(leaf: Leaf): Promise<Entry["words"]> {
  const { command } = await leaf.load();
  return Object.values(command.flags)
    .filter((flag) => !flag.hidden)
    .map((flag) => ({ name: `--${longName(flag)}`, summary: flag.usage.split("\n", 1)[0] ?? "" }));
}

/** The whole grammar, taken from the command tree. */
async function entries(): Promise<Entry[]> {
  const top: Entry = {
    path: "",
    summary: "",
    words: [
      ...visible(commands()),
      ...visible(groups),
      ...Object.entries(roles).map(([name, summary]) => ({ name, summary })),
    ],
  };
  const found: Entry[] = [top];
  for (const [name, group] of Object.entries(groups)) {
    found.push({ path: name, summary: group.summary, words: visible(group.children()) });
    for (const [child, leaf] of Object.entries(group.children()))
      found.push({ path: `${name} ${child}`, summary: leaf.summary, words: await options(leaf) });
  }
  for (const [name, leaf] of Object.entries(commands()))
    found.push({ path: name, summary: leaf.summary, words: await options(leaf) });
  return found;
}

/** Commands whose arguments name objects, and how to list those. */
const argumentLists: [pattern: string, command: string][] = [
  ["start|rm|inspect|container start|container rm|container inspect", "ps -a --format '{{.Names}}'"],
  [
    "attach|commit|diff|exec|export|kill|logs|pause|port|rename|restart|stats|stop|top|unpause|update|wait|container attach|container exec|container kill|container logs|container stop",
    "ps --format '{{.Names}}'",
  ],
  [
    "run|create|rmi|history|save|tag|image rm|image inspect|image history|image save|container run|container create",
    "images --format '{{.Repository}}:{{.Tag}}'",
  ],
  ["volume rm|volume inspect", "volume ls -q"],
  ["network rm|network inspect|network connect|network disconnect", "network ls --format '{{.Name}}'"],
];

const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export async function bash(): Promise<string> {
  const cases = (await entries()).map(
    ({ path, words }) =>
      `    ${shellQuote(path)}) words=${shellQuote(words.map(({ name }) => name).join(" "))} ;;`,
  );
  const lists = argumentLists.map(
    ([pattern, command]) =>
      `    ${pattern.split("|").map(shellQuote).join("|")}) words="$words $(${programName} ${command} 2>/dev/null)" ;;`,
  );
  return `# bash completion for ${programName}
_${programName}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word="\${COMP_WORDS[i]}"
    [[ $word == -* ]] && continue
    case "$path" in
      ''|${Object.keys(groups).map(shellQuote).join("|")}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join("\n")}
  esac
  [[ $cur == -* ]] || case "$path" in
${lists.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  ((\${#COMPREPLY[@]})) || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _${programName} ${programName}
`;
}

export async function zsh(): Promise<string> {
  return `#compdef ${programName}
autoload -U +X bashcompinit && bashcompinit
${await bash()}`;
}

export async function fish(): Promise<string> {
  const lines = (await entries()).flatMap(({ path, words }) => {
    const seen =
      path === ""
        ? "__fish_use_subcommand"
        : path
            .split(" ")
            .map((word) => `__fish_seen_subcommand_from ${word}`)
            .join("; and ");
    return words.map(({ name, summary }) =>
      name.startsWith("--")
        ? `complete -c ${programName} -n ${shellQuote(seen)} -l ${name.slice(2)} -d ${shellQuote(summary)}`
        : `complete -c ${programName} -f -n ${shellQuote(seen)} -a ${name} -d ${shellQuote(summary)}`,
    );
  });
  return `${lines.join("\n")}\n`;
}
