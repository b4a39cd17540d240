/** The contact's labels: tags of the workspace, on whoever writes and not on one conversation. */

import { PlusIcon } from "../../ui/icons";
import { Menu, MenuCheck } from "../../ui/menu";
import { useToast } from "../../ui/toast";
import { sayError } from "../say-error";
import { useSession } from "../session";
import { TagDot, TagLabel, tagName } from "../tag-look";
import { useTags } from "../use-tags";
import { Nothing, Section } from "./section";
import { useContact } from "./use-contact";

export function LabelsSection() {
  const { canWrite } = useSession();
  const { profile, file } = useContact();
  const { labels } = useTags();
  const toast = useToast();
  const own = labels.filter((tag) => profile.tagIds.includes(tag.id));

  function setLabel(tagId: string, isOn: boolean) {
    file
      .setLabel(tagId, isOn)
      .catch((error: unknown) => toast({ text: sayError(error), tone: "danger" }));
  }

  return (
    <Section
      title="Labels"
      action={
        canWrite &&
        labels.length > 0 && (
          <Menu trigger={<LabelButton />}>
            {labels.map((tag) => (
              <MenuCheck
                key={tag.id}
                icon={<TagDot color={tag.color} />}
                isOn={profile.tagIds.includes(tag.id)}
                onChange={(isOn) => setLabel(tag.id, isOn)}
              >
                {tagName(tag)}
              </MenuCheck>
            ))}
          </Menu>
        )
      }
    >
      {own.length === 0 ? (
        <Nothing>
          {labels.length === 0 ? "The workspace has no tags yet." : "No labels yet."}
        </Nothing>
      ) : (
        <ul aria-label="Labels of the contact" className="flex flex-wrap gap-1.5">
          {own.map((tag) => (
            <li key={tag.id} className="flex min-w-0">
              <TagLabel tag={tag} />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function LabelButton(rest: React.ComponentProps<"button">) {
  return (
    <button
      type="button"
      {...rest}
      className="relative inline-flex min-h-7 items-center gap-1 rounded-md px-1.5 text-xs font-medium text-accent-text hover:bg-hover max-md:min-h-9 max-md:after:absolute max-md:after:inset-x-0 max-md:after:-inset-y-1"
    >
      <PlusIcon className="size-3.5" />
      Label
    </button>
  );
}
