/** The tree a template is parsed into. `position` is an offset in the source, for error texts. */
export type Node =
  | { type: "text"; text: string }
  | { type: "action"; pipe: Pipe }
  | Control<"if">
  | Control<"with">
  | Control<"range">
  | { type: "template"; name: string; pipe: Pipe | undefined; position: number }
  | { type: "break" | "continue" };

interface Control<T> {
  type: T;
  pipe: Pipe;
  body: Node[];
  otherwise: Node[];
}

export interface Pipe {
  type: "pipe";
  position: number;
  declared: string[];
  assigns: boolean;
  commands: Command[];
}

export interface Command {
  position: number;
  operands: Operand[];
}

export type Operand =
  | Pipe
  | { type: "dot" | "nil"; position: number }
  | { type: "bool"; value: boolean; position: number }
  | { type: "number"; value: number | bigint; text: string; position: number }
  | { type: "string"; value: string; text: string; position: number }
  | { type: "identifier"; name: string; position: number }
  | { type: "field"; names: string[]; position: number }
  | { type: "variable"; name: string; names: string[]; position: number }
  | { type: "chain"; operand: Operand; names: string[]; position: number };

/** A node as Go prints it in an error text. */
export function show(node: Operand | Command): string {
  if ("operands" in node) return node.operands.map(showOperand).join(" ");
  return showOperand(node);
}

function showOperand(node: Operand): string {
  switch (node.type) {
    case "pipe":
      return `(${showPipe(node)})`;
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
    case "string":
      return node.text;
    case "identifier":
      return node.name;
    case "field":
      return dotted(node.names);
    case "variable":
      return node.name + dotted(node.names);
    case "chain":
      return showOperand(node.operand) + dotted(node.names);
  }
}

const dotted = (names: string[]): string => names.map((name) => `.${name}`).join("");

function showPipe(pipe: Pipe): string {
  const declared =
    pipe.declared.length > 0 ? `${pipe.declared.join(", ")} ${pipe.assigns ? "=" : ":="} ` : "";
  return declared + pipe.commands.map(show).join(" | ");
}
