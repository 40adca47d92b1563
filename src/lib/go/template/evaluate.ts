import { ArgumentError, arities, minimums, type TemplateFunction } from "./functions.ts";
import { type Command, type Node, type Operand, type Pipe, show } from "./nodes.ts";
import type { ParsedTemplate } from "./parser.ts";
import { isMap, isNumber, Nil, print, Struct, truth, typeName, type Value } from "./values.ts";

interface EvaluateOptions {
  name: string;
  source: string;
  functions: Record<string, TemplateFunction>;
  /** a missing map key is an error (Go's `missingkey=error`), not `<no value>` */
  strictKeys: boolean;
}

class TemplateExecError extends Error {}

class Break extends Error {}
class Continue extends Error {}

const depthLimit = 1000;

export function evaluate(template: ParsedTemplate, data: Value, options: EvaluateOptions): string {
  return new Evaluator(template, options).run(data);
}

interface Scope {
  name: string;
  value: Value;
}

class Evaluator {
  private output: string[] = [];
  private scopes: Scope[] = [];
  private depth = 0;
  private readonly template: ParsedTemplate;
  private readonly options: EvaluateOptions;

  constructor(template: ParsedTemplate, options: EvaluateOptions) {
    this.template = template;
    this.options = options;
  }

  run(data: Value): string {
    this.scopes = [{ name: "$", value: data }];
    this.walk(this.template.body, data);
    return this.output.join("");
  }

  /** `template: NAME:LINE:COLUMN: executing "NAME" at <NODE>: …` */
  private fail(node: (Operand | Command) & { position: number }, message: string): never {
    const { name, source } = this.options;
    const before = Buffer.from(source.slice(0, node.position));
    const line = source.slice(0, node.position).split("\n").length;
    const newline = before.lastIndexOf(10);
    const column = newline < 0 ? before.length : before.length - newline - 1;
    throw new TemplateExecError(
      `template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${show(node)}>: ${message}`,
    );
  }

  private walk(nodes: Node[], dot: Value): undefined {
    for (const node of nodes) this.node(node, dot);
  }

  private node(node: Node, dot: Value): undefined {
    switch (node.type) {
      case "text":
        this.output.push(node.text);
        return;
      case "action": {
        const value = this.pipe(node.pipe, dot);
        if (node.pipe.declared.length === 0) this.output.push(print(value));
        return;
      }
      case "if":
      case "with":
        return this.scoped(() => {
          const value = this.pipe(node.pipe, dot);
          this.walk(
            truth(value) ? node.body : node.otherwise,
            node.type === "with" && truth(value) ? value : dot,
          );
        });
      case "range":
        return this.scoped(() => this.range(node, dot));
      case "template":
        return this.call(node, dot);
      case "break":
        throw new Break();
      case "continue":
        throw new Continue();
    }
  }

  private scoped(act: () => void): undefined {
    const mark = this.scopes.length;
    try {
      act();
    } finally {
      this.scopes.length = mark;
    }
  }

  private call(node: Extract<Node, { type: "template" }>, dot: Value): undefined {
    const body = this.template.named.get(node.name);
    if (!body)
      throw new TemplateExecError(
        `template: ${this.options.name}: template ${JSON.stringify(node.name)} not defined`,
      );
    if (++this.depth > depthLimit)
      throw new TemplateExecError(`exceeded maximum template depth (${depthLimit})`);
    const value = node.pipe ? this.pipe(node.pipe, dot) : undefined;
    const outer = this.scopes;
    this.scopes = [{ name: "$", value }];
    this.walk(body, value);
    this.scopes = outer;
    this.depth--;
  }

  private range(node: Extract<Node, { type: "range" }>, dot: Value): undefined {
    const value = this.evaluatePipe(node.pipe, dot);
    const entries = this.entries(node.pipe, value);
    if (entries.length === 0) return this.walk(node.otherwise, dot);
    for (const [key, item] of entries) {
      const mark = this.scopes.length;
      const [first, second] = node.pipe.declared;
      if (first !== undefined) this.bind(node.pipe, first, second === undefined ? item : key);
      if (second !== undefined) this.bind(node.pipe, second, item);
      try {
        this.walk(node.body, item);
      } catch (error) {
        if (error instanceof Break) return;
        if (!(error instanceof Continue)) throw error;
      } finally {
        this.scopes.length = mark;
      }
    }
  }

  private entries(pipe: Pipe, value: Value): [Value, Value][] {
    if (Array.isArray(value)) return value.map((item, index): [Value, Value] => [index, item]);
    if (value === undefined || value === null || value instanceof Nil) return [];
    if (isNumber(value) && Number.isInteger(Number(value)))
      return Array.from({ length: Math.min(Number(value), 1e6) }, (_none, index) => [index, index]);
    if (isMap(value))
      return Object.keys(value)
        .sort((a, b) => (a < b ? -1 : 1))
        .map((key): [Value, Value] => [key, value[key]]);
    return this.fail(
      pipe.commands.length === 1 && pipe.commands[0] ? pipe.commands[0] : pipe,
      `range can't iterate over ${print(value)}`,
    );
  }

  private bind(pipe: Pipe, name: string, value: Value): undefined {
    if (!pipe.assigns) {
      this.scopes.push({ name, value });
      return;
    }
    const scope = this.scopes.findLast((each) => each.name === name);
    if (scope) scope.value = value;
  }

  private pipe(pipe: Pipe, dot: Value): Value {
    const value = this.evaluatePipe(pipe, dot);
    for (const name of pipe.declared) this.bind(pipe, name, value);
    return value;
  }

  private evaluatePipe(pipe: Pipe, dot: Value): Value {
    return pipe.commands.reduce<{ value: Value; has: boolean }>(
      (last, command) => ({ value: this.command(command, dot, last.has ? [last.value] : []), has: true }),
      { value: undefined, has: false },
    ).value;
  }

  private command(command: Command, dot: Value, final: Value[]): Value {
    const [first, ...rest] = command.operands;
    if (!first) return undefined;
    switch (first.type) {
      case "identifier":
        return this.callFunction(command, first, rest, dot, final);
      case "field":
        return this.fields(first, first.names, dot, dot, rest, final);
      case "variable":
        return this.fields(first, first.names, this.variable(first.name), dot, rest, final);
      case "chain":
        return this.fields(first, first.names, this.operand(first.operand, dot), dot, rest, final);
    }
    if (rest.length > 0 || final.length > 0)
      this.fail(first, `can't give argument to non-function ${show(first)}`);
    if (first.type === "nil") this.fail(first, "nil is not a command");
    return this.operand(first, dot);
  }

  private operand(operand: Operand, dot: Value): Value {
    switch (operand.type) {
      case "dot":
        return dot;
      case "nil":
        return null;
      case "bool":
      case "number":
      case "string":
        return operand.value;
      case "pipe":
        return this.pipe(operand, dot);
      default:
        return this.command({ position: operand.position, operands: [operand] }, dot, []);
    }
  }

  private variable(name: string): Value {
    return this.scopes.findLast((scope) => scope.name === name)?.value;
  }

  /** `.A.B.C args`: only the last name may take arguments. */
  private fields(
    node: Operand,
    names: string[],
    start: Value,
    dot: Value,
    rest: Operand[],
    final: Value[],
  ): Value {
    let value = start;
    names.forEach((name, index) => {
      const last = index === names.length - 1;
      const args = last ? [...rest.map((operand) => this.operand(operand, dot)), ...final] : [];
      value = this.field(node, name, value, args);
    });
    if (names.length === 0 && (rest.length > 0 || final.length > 0))
      this.fail(node, `can't give argument to non-function ${show(node)}`);
    return value;
  }

  private field(node: Operand, name: string, receiver: Value, args: Value[]): Value {
    if (receiver instanceof Struct) {
      const member = receiver.member(name);
      if (!member) this.fail(node, `can't evaluate field ${name} in type ${receiver.goType}`);
      if ("method" in member) return this.invoke(node, name, member.method, args, member.method.length);
      if (args.length > 0) this.fail(node, `${name} has arguments but cannot be invoked as function`);
      return member.value;
    }
    if (isMap(receiver)) {
      const value = receiver[name];
      if (typeof value === "function" && Object.hasOwn(receiver, name))
        return this.invoke(node, name, value as TemplateFunction, args);
      if (args.length > 0) this.fail(node, `${name} is not a method but has arguments`);
      if (Object.hasOwn(receiver, name)) return value;
      if (this.options.strictKeys) this.fail(node, `map has no entry for key ${JSON.stringify(name)}`);
      return undefined;
    }
    if (receiver === undefined || receiver === null) {
      this.fail(node, `nil data; no entry for key ${JSON.stringify(name)}`);
    }
    if (receiver instanceof Nil) {
      if (receiver.kind === "map") return undefined;
      this.fail(node, `nil pointer evaluating ${typeName(receiver)}.${name}`);
    }
    // Under strict keys everything came from JSON, so that Go would see an interface here.
    this.fail(
      node,
      `can't evaluate field ${name} in type ${this.options.strictKeys ? "interface {}" : typeName(receiver)}`,
    );
  }

  private callFunction(
    node: Command,
    named: Extract<Operand, { type: "identifier" }>,
    rest: Operand[],
    dot: Value,
    final: Value[],
  ): Value {
    const { name } = named;
    const count = rest.length + final.length;
    const fixed = arities[name];
    if (fixed !== undefined && count !== fixed)
      this.fail(named, `wrong number of args for ${name}: want ${fixed} got ${count}`);
    const least = minimums[name];
    if (least !== undefined && count < least)
      this.fail(named, `wrong number of args for ${name}: want at least ${least} got ${count}`);
    if (name === "and" || name === "or") return this.shortCircuit(name, rest, dot, final);
    const fn = this.options.functions[name];
    if (!fn) this.fail(node, `${JSON.stringify(name)} is not a defined function`);
    const args = [...rest.map((operand) => this.operand(operand, dot)), ...final];
    try {
      return this.invoke(node, name, fn, args);
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return this.fail(rest[args.indexOf(error.argument)] ?? node, error.message);
    }
  }

  private shortCircuit(name: "and" | "or", rest: Operand[], dot: Value, final: Value[]): Value {
    let value: Value;
    for (const operand of rest) {
      value = this.operand(operand, dot);
      if (truth(value) === (name === "or")) return value;
    }
    return final.length > 0 ? final[0] : value;
  }

  private invoke(
    node: Operand | Command,
    name: string,
    fn: TemplateFunction,
    args: Value[],
    arity?: number,
  ): Value {
    if (arity !== undefined && args.length !== arity)
      this.fail(node, `wrong number of args for ${name}: want ${arity} got ${args.length}`);
    try {
      return fn(...args);
    } catch (error) {
      if (error instanceof TemplateExecError || error instanceof ArgumentError) throw error;
      const message = error instanceof Error ? error.message : String(error);
      return this.fail(node, `error calling ${name}: ${message}`);
    }
  }
}
