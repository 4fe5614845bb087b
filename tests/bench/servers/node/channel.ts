// The channel that the reference server, ws-server.ts, is written against and that is not part of
// it. A pattern `echo:<name>` matches topics of as many parts; what a `<name>` stands for is in the
// params. Patterns and topics are split at ':'.
export type TopicParams = Record<string, string>;

export interface ChannelContext {
  params: TopicParams;
  topic: string;
  send: (event: string, payload: unknown) => void; // to the sender alone
  broadcast: (event: string, payload: unknown) => void; // to all subscribers of the topic
}

type Join = (context: ChannelContext) => void | Promise<void>;
type Hear = (context: ChannelContext, payload: unknown) => void | Promise<void>;

export class Channel {
  private readonly parts: string[];
  private join: Join | null = null;
  private readonly events = new Map<string, Hear>();

  constructor(private readonly pattern: string) {
    this.parts = pattern.split(":");
  }

  getPattern(): string {
    return this.pattern;
  }

  // What the topic gives to the pattern's names; null where it does not match.
  match(topic: string): TopicParams | null {
    const values = topic.split(":");
    if (values.length !== this.parts.length) return null;
    const params: TopicParams = {};
    for (let i = 0; i < values.length; ++i) {
      const part = this.parts[i];
      if (part.startsWith("<") && part.endsWith(">")) {
        if (values[i] === "") return null;
        params[part.slice(1, -1)] = values[i];
      } else if (part !== values[i]) {
        return null;
      }
    }
    return params;
  }

  onJoin(join: Join): this {
    this.join = join;
    return this;
  }

  async handleJoin(context: ChannelContext): Promise<void> {
    await this.join?.(context);
  }

  on(event: string, hear: Hear): this {
    this.events.set(event, hear);
    return this;
  }

  // Whether there is anyone for the event.
  async handleEvent(event: string, context: ChannelContext, payload: unknown): Promise<boolean> {
    const hear = this.events.get(event);
    if (hear === undefined) return false;
    await hear(context, payload);
    return true;
  }
}
