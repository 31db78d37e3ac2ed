/** Server-sent events as the HTML standard defines them (9.2.6), read from the chunks in which a stream comes. */

export interface Message {
  event: string;
  data: string;
  /** The last id that the stream has told: what to resume from. */
  id: string;
}

/** A reader of one stream: it takes the next chunk and returns the messages that end in it. */
export function messageReader(): (chunk: string) => Message[] {
  let rest = "";
  let event = "";
  let data: string[] = [];
  let id = "";

  const dispatched = (): Message[] => {
    const message = { event: event || "message", data: data.join("\n"), id };
    const empty = data.length === 0;
    event = "";
    data = [];
    return empty ? [] : [message];
  };
  const take = (line: string): Message[] => {
    if (line === "") return dispatched();
    const { name, value } = field(line);
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    return [];
  };

  return (chunk) => {
    const lines = (rest + chunk).split(/\r\n|\n|\r(?!$)/);
    // What no line end follows yet may go on, and a CR at the end may be half of a CRLF.
    rest = lines.pop() ?? "";
    return lines.flatMap(take);
  };
}

// A line without a colon is a name; one that begins with a colon is a comment, a field without a name.
function field(line: string): { name: string; value: string } {
  const colon = line.indexOf(":");
  if (colon < 0) return { name: line, value: "" };
  const value = line.slice(colon + 1);
  return { name: line.slice(0, colon), value: value.startsWith(" ") ? value.slice(1) : value };
}
