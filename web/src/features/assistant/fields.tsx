/** The fields of the AI's settings, in the groups they belong to. */

import {
  type AssistantSettings,
  ProviderKind,
  Tool,
} from "../../gen/inbox/assistant/v1/assistant_pb";
import { Check, Field, TextArea } from "../../ui/field";
import { counted } from "../../ui/length";
import { Section } from "../../ui/page";
import { RadioCards } from "../../ui/radio-cards";
import {
  type Edits,
  FIELD_LABELS,
  type FieldName,
  isShown,
  type SettingsForm,
  TOOLS,
  withTool,
} from "./settings-form";

const MAX_INSTRUCTIONS_CHARACTERS = 4_000;

const PROVIDERS = [
  {
    value: ProviderKind.OFFLINE,
    text: "Inbox itself",
    hint: "Quotes your articles. Needs no network, no key, and invents nothing.",
  },
  {
    value: ProviderKind.OPENAI,
    text: "A model (OpenAI-compatible)",
    hint: "Any endpoint that speaks the OpenAI chat API.",
  },
  {
    value: ProviderKind.AGENT,
    text: "Your own agent (gRPC)",
    hint: "A program of yours that serves AgentService; Inbox calls it.",
  },
  {
    value: ProviderKind.NONE,
    text: "A bot with an API key",
    hint: "A program of yours answers by itself; Inbox asks nobody.",
  },
] as const;

const TOOL_WORDS: Record<Tool, { label: string; hint: string }> = {
  [Tool.UNSPECIFIED]: { label: "Something else", hint: "" },
  [Tool.SEARCH_KNOWLEDGE]: {
    label: "Search the articles",
    hint: "Without it, it answers from its instructions alone.",
  },
  [Tool.SAVE_CONTACT_FIELD]: {
    label: "Keep details the customer gives",
    hint: "An order number, say, for the person who takes over.",
  },
  [Tool.HAND_OVER]: {
    label: "Call a person",
    hint: "Without it, a person is called only when it fails.",
  },
};

interface Part {
  form: SettingsForm;
  settings: AssistantSettings;
  onEdit: (news: Edits) => void;
  errorAt: (name: FieldName) => string | null;
}

type TextName = {
  [N in FieldName]: SettingsForm[N] extends string ? N : never;
}[FieldName];

/** What every text of the form has in common. */
function textOf({ form, onEdit, errorAt }: Part, name: TextName) {
  return {
    label: FIELD_LABELS[name],
    value: form[name],
    error: errorAt(name),
    onChange: (event: { target: { value: string } }) => onEdit({ [name]: event.target.value }),
  };
}

function NumberField({ part, name, hint }: { part: Part; name: TextName; hint: string }) {
  if (!isShown(name, part.form.provider)) return null;
  return <Field {...textOf(part, name)} inputMode="decimal" autoComplete="off" hint={hint} />;
}

export function ProviderFields(part: Part) {
  const { form, onEdit } = part;
  return (
    <div className="flex flex-col gap-5">
      <RadioCards
        label={FIELD_LABELS.provider}
        value={form.provider}
        options={PROVIDERS}
        onChange={(provider) => onEdit({ provider })}
      />
      {form.provider === ProviderKind.OPENAI && (
        <>
          <Field
            {...textOf(part, "openai.base_url")}
            type="url"
            inputMode="url"
            placeholder="https://ai.example/v1"
            hint="Whoever runs this Inbox lists the hosts it may call."
          />
          <Field
            {...textOf(part, "openai.model")}
            autoComplete="off"
            hint="As the endpoint names it."
          />
          <KeyField {...part} />
          <div className="grid gap-5 sm:grid-cols-2">
            <NumberField part={part} name="openai.max_output_tokens" hint="Tokens: 16 to 4,096." />
            <NumberField
              part={part}
              name="openai.max_turn_tokens"
              hint="Tokens: 1,000 to 200,000. Over it, a person is called."
            />
          </div>
        </>
      )}
      {form.provider === ProviderKind.AGENT && (
        <>
          <Field
            {...textOf(part, "agent.address")}
            autoComplete="off"
            placeholder="agent.example:443"
            hint="host:port. Whoever runs this Inbox lists the hosts it may call."
          />
          <KeyField {...part} />
          <Check
            label={FIELD_LABELS["agent.is_plaintext"]}
            hint="Only on the same machine or a network you trust."
            checked={form["agent.is_plaintext"]}
            onChange={(event) => onEdit({ "agent.is_plaintext": event.target.checked })}
          />
        </>
      )}
    </div>
  );
}

function KeyField(part: Part) {
  const { form, settings, onEdit } = part;
  const stored = settings.hasApiKey;
  return (
    <div className="flex flex-col gap-3">
      <Field
        {...textOf(part, "api_key")}
        type="password"
        autoComplete="new-password"
        disabled={form.forgets_api_key || undefined}
        placeholder={stored ? "Stored. Write another to replace it." : ""}
        hint={
          stored
            ? "A key is stored. Nobody sees it again, you neither."
            : "Stored sealed, and never shown again."
        }
      />
      {stored && (
        <Check
          label={FIELD_LABELS.forgets_api_key}
          checked={form.forgets_api_key}
          onChange={(event) => onEdit({ forgets_api_key: event.target.checked, api_key: "" })}
        />
      )}
    </div>
  );
}

export function MannerFields(part: Part) {
  const { form } = part;
  const shows = (name: FieldName) => isShown(name, form.provider);
  return (
    <div className="flex flex-col gap-5">
      <Field
        {...textOf(part, "display_name")}
        autoComplete="off"
        hint="What customers and colleagues see: 1 to 80 characters."
      />
      {shows("instructions") && (
        <TextArea
          {...textOf(part, "instructions")}
          rows={5}
          className="min-h-32 resize-y"
          placeholder="We sell plants in Lisbon. Be brief and warm; never promise a delivery day."
          hint={`What it should know of the business, and its manner. ${counted(form.instructions, MAX_INSTRUCTIONS_CHARACTERS)}`}
        />
      )}
      {shows("allowed_tools") && <ToolChecks {...part} />}
    </div>
  );
}

function ToolChecks({ form, onEdit }: Part) {
  const isFixed = form.provider === ProviderKind.OFFLINE;
  return (
    <fieldset disabled={isFixed} className="flex flex-col gap-3">
      <legend className="mb-2 text-sm font-medium">{FIELD_LABELS.allowed_tools}</legend>
      {isFixed ? (
        <p className="text-sm text-muted">
          It searches the articles and calls a person; nothing else.
        </p>
      ) : (
        TOOLS.map((tool) => (
          <Check
            key={tool}
            {...TOOL_WORDS[tool]}
            checked={form.allowed_tools.includes(tool)}
            onChange={(event) =>
              onEdit({ allowed_tools: withTool(form.allowed_tools, tool, event.target.checked) })
            }
          />
        ))
      )}
    </fieldset>
  );
}

export function PaceFields(part: Part) {
  if (part.form.provider === ProviderKind.NONE) return null;
  return (
    <Section title="Pace and limits">
      <div className="grid gap-5 sm:grid-cols-2">
        <NumberField
          part={part}
          name="reply_delay"
          hint="Seconds, 0 to 30: several messages in a row get one answer."
        />
        <NumberField
          part={part}
          name="longest_reply_delay"
          hint="Seconds after the first message: up to 60, not below the wait."
        />
        <NumberField
          part={part}
          name="answer_within"
          hint="Seconds, 1 to 55. Slower than that, and a person is called."
        />
        <NumberField
          part={part}
          name="min_coverage_percent"
          hint="Percent of a question's words, 1 to 100. Below it, a person is called."
        />
        <NumberField part={part} name="context_size" hint="The newest ones: 1 to 100." />
      </div>
    </Section>
  );
}
