import { goUnquote } from "../quote.ts";
import { lex, syntaxError, TemplateSyntaxError, type Token } from "./lexer.ts";
import type { Command, Node, Operand, Pipe } from "./nodes.ts";

export interface ParsedTemplate {
  body: Node[];
  /** bodies of `define` and `block` */
  named: Map<string, Node[]>;
}

type Ending = "end" | "else" | "EOF";

/** Parses `source`; functions that are not in `isFunction` are refused, as Go does at this point. */
export function parse(source: string, name: string, isFunction: (name: string) => boolean): ParsedTemplate {
  return new Parser(lex(source, name), name, isFunction).run();
}

class Parser {
  private at = 0;
  private variables: string[] = ["$"];
  private loops = 0;
  private readonly named = new Map<string, Node[]>();
  private readonly tokens: Token[];
  private readonly name: string;
  private readonly isFunction: (name: string) => boolean;

  constructor(tokens: Token[], name: string, isFunction: (name: string) => boolean) {
    this.tokens = tokens;
    this.name = name;
    this.isFunction = isFunction;
  }

  run(): ParsedTemplate {
    const { nodes, ending } = this.list();
    if (ending !== "EOF") this.fail(`unexpected {{${ending}}}`);
    return { body: nodes, named: this.named };
  }

  private fail(message: string): never {
    const line = this.tokens[Math.max(0, Math.min(this.at, this.tokens.length) - 1)]?.line ?? 1;
    throw syntaxError(this.name, line, message);
  }

  private peek(): Token {
    const token = this.tokens[this.at] ?? { kind: "end", text: "", position: 0, line: 1 };
    if (token.kind === "error") throw new TemplateSyntaxError(token.text);
    return token;
  }

  private next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private peekPastSpace(): Token {
    while (this.peek().kind === "space") this.at++;
    return this.peek();
  }

  private nextPastSpace(): Token {
    this.peekPastSpace();
    return this.next();
  }

  private unexpected(token: Token, context: string): never {
    this.fail(`unexpected ${describe(token)} in ${context}`);
  }

  private list(): { nodes: Node[]; ending: Ending; elseToken?: string } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.next();
      if (token.kind === "end") return { nodes, ending: "EOF" };
      if (token.kind === "text") {
        nodes.push({ type: "text", text: token.text });
        continue;
      }
      const word = this.peekPastSpace();
      if (word.kind === "keyword" && (word.text === "end" || word.text === "else")) {
        this.next();
        if (word.text === "else") return { nodes, ending: "else" };
        this.expectRight("end");
        return { nodes, ending: "end" };
      }
      const node = this.action();
      if (node) nodes.push(node);
    }
  }

  private expectRight(context: string): void {
    const token = this.nextPastSpace();
    if (token.kind !== "right") this.unexpected(token, context);
  }

  private action(): Node | undefined {
    const token = this.peekPastSpace();
    if (token.kind !== "keyword") return { type: "action", pipe: this.pipe("command", "right") };
    this.next();
    switch (token.text) {
      case "if":
      case "with":
      case "range":
        return this.control(token.text);
      case "template":
        return this.callTemplate(token.position);
      case "block":
        return this.block(token.position);
      case "define":
        return this.define();
      case "break":
      case "continue":
        if (this.loops === 0) this.fail(`{{${token.text}}} outside {{range}}`);
        this.expectRight(token.text);
        return { type: token.text };
      default:
        this.unexpected(token, "command");
    }
  }

  private control(type: "if" | "with" | "range"): Node {
    const scope = this.variables.length;
    const pipe = this.pipe(type, "right");
    if (type === "range") this.loops++;
    const first = this.list();
    if (type === "range") this.loops--;
    let otherwise: Node[] = [];
    if (first.ending === "else") otherwise = this.elseBranch(type);
    else if (first.ending === "EOF") this.fail("unexpected EOF");
    this.variables.length = scope;
    return { type, pipe, body: first.nodes, otherwise };
  }

  /** After `else`: a plain branch up to `end`, or `else if` / `else with`, whose `end` is shared. */
  private elseBranch(type: "if" | "with" | "range"): Node[] {
    const token = this.peekPastSpace();
    if (token.kind === "keyword" && token.text === type && type !== "range") {
      this.next();
      return [this.control(type)];
    }
    this.expectRight("else");
    const { nodes, ending } = this.list();
    if (ending === "else") this.fail("expected end; found {{else}}");
    if (ending === "EOF") this.fail("unexpected EOF");
    return nodes;
  }

  private templateName(context: string): string {
    const token = this.nextPastSpace();
    if (token.kind !== "string") this.unexpected(token, context);
    return goUnquote(token.text) ?? this.fail(`invalid syntax`);
  }

  private callTemplate(position: number): Node {
    const name = this.templateName("template clause");
    if (this.peekPastSpace().kind === "right") {
      this.next();
      return { type: "template", name, pipe: undefined, position };
    }
    return { type: "template", name, pipe: this.pipe("template clause", "right"), position };
  }

  private block(position: number): Node {
    const name = this.templateName("block clause");
    const pipe = this.pipe("block clause", "right");
    this.namedBody(name, "block clause");
    return { type: "template", name, pipe, position };
  }

  private define(): undefined {
    const name = this.templateName("define clause");
    this.expectRight("define clause");
    this.namedBody(name, "define clause");
  }

  private namedBody(name: string, context: string): void {
    const outer = this.variables;
    this.variables = ["$"];
    const { nodes, ending } = this.list();
    this.variables = outer;
    if (ending !== "end") this.fail(`unexpected ${ending === "EOF" ? "EOF" : "{{else}}"} in ${context}`);
    this.named.set(name, nodes);
  }

  private pipe(context: string, end: "right" | "close"): Pipe {
    const start = this.peekPastSpace();
    const { declared, assigns } = this.declarations(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.nextPastSpace();
      if (token.kind === end) {
        this.checkPipe(commands, context);
        this.variables.push(...(assigns ? [] : declared));
        return { type: "pipe", position: start.position, declared, assigns, commands };
      }
      if (!startsOperand.has(token.kind)) this.unexpected(token, context);
      this.at--;
      commands.push(this.command());
    }
  }

  private checkPipe(commands: Command[], context: string): void {
    if (commands.length === 0) this.fail(`missing value for ${context}`);
    commands.slice(1).forEach((command, index) => {
      const type = command.operands[0]?.type;
      if (type === "bool" || type === "dot" || type === "nil" || type === "number" || type === "string")
        this.fail(`non executable command in pipeline stage ${index + 2}`);
    });
  }

  private declarations(context: string): { declared: string[]; assigns: boolean } {
    const from = this.at;
    const declared: string[] = [];
    while (this.peekPastSpace().kind === "variable") {
      const variable = this.next();
      const sign = this.peekPastSpace();
      if (sign.kind === "declare" || sign.kind === "assign") {
        this.next();
        declared.push(variable.text);
        return { declared, assigns: sign.kind === "assign" };
      }
      if (sign.kind !== "comma" || context !== "range") break;
      this.next();
      declared.push(variable.text);
    }
    this.at = from;
    return { declared: [], assigns: false };
  }

  private command(): Command {
    const position = this.peekPastSpace().position;
    const operands: Operand[] = [];
    for (;;) {
      this.peekPastSpace();
      const operand = this.operand();
      if (operand) operands.push(operand);
      const token = this.next();
      if (token.kind === "space") continue;
      if (token.kind === "right" || token.kind === "close") {
        this.at--;
      } else if (token.kind !== "pipe") this.unexpected(token, "operand");
      break;
    }
    if (operands.length === 0) this.fail("empty command");
    return { position, operands };
  }

  private operand(): Operand | undefined {
    const node = this.term();
    if (!node || this.peek().kind !== "field") return node;
    const { position } = this.peek();
    const names: string[] = [];
    while (this.peek().kind === "field") names.push(this.next().text.slice(1));
    if (node.type === "field") return { ...node, names: [...node.names, ...names], position };
    if (node.type === "variable") return { ...node, names: [...node.names, ...names], position };
    if (
      node.type === "bool" ||
      node.type === "string" ||
      node.type === "number" ||
      node.type === "nil" ||
      node.type === "dot"
    )
      this.fail(
        `unexpected . after term ${JSON.stringify(node.type === "dot" ? "." : "text" in node ? node.text : String(node.type))}`,
      );
    return { type: "chain", operand: node, names, position };
  }

  private term(): Operand | undefined {
    const token = this.nextPastSpace();
    const { position, text } = token;
    switch (token.kind) {
      case "identifier":
        if (!this.isFunction(text)) this.fail(`function ${JSON.stringify(text)} not defined`);
        return { type: "identifier", name: text, position };
      case "dot":
        return { type: "dot", position };
      case "nil":
        return { type: "nil", position };
      case "variable":
        if (!this.variables.includes(text)) this.fail(`undefined variable ${JSON.stringify(text)}`);
        return { type: "variable", name: text, names: [], position };
      case "field":
        return { type: "field", names: [text.slice(1)], position };
      case "bool":
        return { type: "bool", value: text === "true", position };
      case "number":
        return { type: "number", value: this.numberOf(text), text, position };
      case "char":
        return {
          type: "number",
          value: goUnquote(`"${text.slice(1, -1)}"`)?.codePointAt(0) ?? 0,
          text,
          position,
        };
      case "string":
        return { type: "string", value: goUnquote(text) ?? this.fail("invalid syntax"), text, position };
      case "open":
        return this.pipe("parenthesized pipeline", "close");
      default:
        this.at--;
        return undefined;
    }
  }

  private numberOf(text: string): number | bigint {
    const digits = text.replaceAll("_", "");
    const value = /^[+-]?0\d+$/.test(digits)
      ? Number.parseInt(digits, 8)
      : Number(digits.replace(/^\+/, "").replace(/^-0x/i, "0x"));
    if (Number.isNaN(value)) this.fail(`bad number syntax: ${JSON.stringify(text)}`);
    return /^-0x/i.test(digits) ? -value : value;
  }
}

const startsOperand = new Set([
  "bool",
  "char",
  "dot",
  "field",
  "identifier",
  "number",
  "nil",
  "string",
  "variable",
  "open",
]);

function describe(token: Token): string {
  if (token.kind === "end") return "EOF";
  if (token.kind === "keyword" || token.kind === "dot" || token.kind === "nil") return `<${token.text}>`;
  return token.text.length > 10
    ? `${JSON.stringify(token.text.slice(0, 10))}...`
    : JSON.stringify(token.text);
}
