/** The icons, drawn on a 20 × 20 grid with one stroke. Decoration only: whoever uses one names its meaning in text. */

import type { ReactNode } from "react";

export interface IconProps {
  className?: string;
}

function stroked(children: ReactNode, strokeWidth = 1.6) {
  return ({ className = "size-5" }: IconProps) => {
    return (
      <svg
        aria-hidden="true"
        viewBox="0 0 20 20"
        fill="none"
        stroke="currentColor"
        strokeWidth={strokeWidth}
        strokeLinecap="round"
        strokeLinejoin="round"
        className={`shrink-0 ${className}`}
      >
        {children}
      </svg>
    );
  };
}

export const InboxIcon = stroked(
  <>
    <path d="M3 11.2 5 5.3A1.9 1.9 0 0 1 6.8 4h6.4A1.9 1.9 0 0 1 15 5.3l2 5.9v3.1a1.7 1.7 0 0 1-1.7 1.7H4.7A1.7 1.7 0 0 1 3 14.3z" />
    <path d="M3.2 11.2h3.3a3.5 3.5 0 0 0 7 0h3.3" />
  </>,
);
export const PlugIcon = stroked(
  <path d="M7.4 2.8v3.4M12.6 2.8v3.4M5 6.2h10v2.9a5 5 0 0 1-10 0zM10 14.1v3.1" />,
);
export const GearIcon = stroked(
  <>
    <circle cx="10" cy="10" r="2.5" />
    <path d="M10 2.9v2M10 15.1v2M2.9 10h2M15.1 10h2M5 5l1.4 1.4M13.6 13.6 15 15M15 5l-1.4 1.4M6.4 13.6 5 15" />
  </>,
);
export const BackIcon = stroked(<path d="M16 10H4.2M9 4.8 3.8 10 9 15.2" />, 1.8);
export const CheckIcon = stroked(<path d="m4 10.6 4 4L16 6" />, 1.8);
export const ReopenIcon = stroked(
  <path d="M7.2 4 3.6 7.6l3.6 3.6M3.8 7.6h7.6a4.3 4.3 0 0 1 0 8.6H8" />,
  1.8,
);
export const ReplyIcon = stroked(
  <path d="M8 4.5 3.5 9 8 13.5M3.8 9h7.4a5.3 5.3 0 0 1 5.3 5.3v1.2" />,
  1.8,
);
export const ArrowUpIcon = stroked(<path d="M10 16V4.4M4.8 9.4 10 4.2l5.2 5.2" />, 2);
export const ArrowDownIcon = stroked(<path d="M10 4v11.6M4.8 10.6 10 15.8l5.2-5.2" />, 1.8);
export const CloseIcon = stroked(<path d="m5 5 10 10M15 5 5 15" />, 1.8);
export const AlertIcon = stroked(
  <>
    <circle cx="10" cy="10" r="7.2" />
    <path d="M10 6.4v4.3M10 13.5v.1" />
  </>,
);
export const RetryIcon = stroked(<path d="M15.9 8.2A6.3 6.3 0 1 0 16 12M16.2 4.2v4h-4" />, 1.8);
export const CopyIcon = stroked(
  <>
    <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
    <path d="M4.6 13A1.6 1.6 0 0 1 3.5 11.5V5.3A1.8 1.8 0 0 1 5.3 3.5h6.2A1.6 1.6 0 0 1 13 4.6" />
  </>,
);
export const SunIcon = stroked(
  <>
    <circle cx="10" cy="10" r="3.3" />
    <path d="M10 2.6v1.6M10 15.8v1.6M2.6 10h1.6M15.8 10h1.6M4.8 4.8l1.1 1.1M14.1 14.1l1.1 1.1M15.2 4.8l-1.1 1.1M5.9 14.1l-1.1 1.1" />
  </>,
);
export const MoonIcon = stroked(<path d="M16.3 11.7A6.7 6.7 0 0 1 8.3 3.7a6.7 6.7 0 1 0 8 8z" />);
export const ScreenIcon = stroked(
  <>
    <rect x="2.8" y="3.8" width="14.4" height="9.8" rx="1.8" />
    <path d="M7 16.6h6M10 13.8v2.6" />
  </>,
);
export const DoorIcon = stroked(
  <path d="M8.5 3.5H5.3A1.8 1.8 0 0 0 3.5 5.3v9.4a1.8 1.8 0 0 0 1.8 1.8h3.2M13 6.5l3.5 3.5-3.5 3.5M16.2 10H8" />,
);
export const PlusIcon = stroked(<path d="M10 4.2v11.6M4.2 10h11.6" />, 1.8);
export const PersonIcon = stroked(
  <>
    <circle cx="10" cy="6.6" r="3.3" />
    <path d="M3.8 16.6c.6-3.3 3.1-5 6.2-5s5.6 1.7 6.2 5" />
  </>,
);
export const PeopleIcon = stroked(
  <>
    <circle cx="7.6" cy="6.8" r="2.9" />
    <path d="M2.4 16c.5-2.9 2.6-4.4 5.2-4.4s4.7 1.5 5.2 4.4M13 4.2a2.9 2.9 0 0 1 0 5.2M14.8 12c1.5.7 2.5 2 2.8 4" />
  </>,
);
export const BookIcon = stroked(
  <path d="M10 5.6C8.2 4.3 6 3.8 3.4 4v11.2c2.6-.2 4.8.3 6.6 1.6 1.8-1.3 4-1.8 6.6-1.6V4c-2.6-.2-4.8.3-6.6 1.6zm0 0v11.2" />,
);
export const ScrollIcon = stroked(
  <path d="M5.4 3.4h9.2a.9.9 0 0 1 .9.9v12.3l-2.2-1.3-2.2 1.3-2.2-1.3-2.2 1.3-2.2-1.3V4.3a.9.9 0 0 1 .9-.9zM7.6 7h4.8M7.6 10.4h4.8" />,
);
/** A panel at the side. */
export const PanelIcon = stroked(
  <>
    <rect x="2.8" y="3.8" width="14.4" height="12.4" rx="2" />
    <path d="M12.2 4v12" />
  </>,
);
/** Somebody asks for a person. */
export const HandIcon = stroked(
  <path d="M6.4 10.6V5.2a1.2 1.2 0 0 1 2.4 0v3.6V3.9a1.2 1.2 0 0 1 2.4 0v4.9V4.9a1.2 1.2 0 0 1 2.4 0v6.6l.6-1.5a1.2 1.2 0 0 1 2.2.9l-1.7 4a4 4 0 0 1-3.7 2.4h-.9a4.3 4.3 0 0 1-3.5-1.8l-2.3-3.3a1.2 1.2 0 0 1 2-1.4z" />,
);
export const KeyIcon = stroked(
  <>
    <circle cx="6.7" cy="13.3" r="3.3" />
    <path d="m9.2 10.8 6.9-6.9M13 7l2.3 2.3" />
  </>,
);
export const CloudOffIcon = stroked(
  <path d="M3 3l14 14M7.2 6.4A4.6 4.6 0 0 1 14.4 9a3.5 3.5 0 0 1 2.3 5.4M13.5 15.5H6.2a3.7 3.7 0 0 1-.8-7.3" />,
);
export const ChatIcon = stroked(
  <path d="M17 9.6c0 3.4-3.1 6.1-7 6.1-.9 0-1.7-.1-2.5-.4L4 16.6l.7-3.1A5.7 5.7 0 0 1 3 9.6c0-3.4 3.1-6.1 7-6.1s7 2.7 7 6.1z" />,
);
export const PhoneIcon = stroked(
  <>
    <rect x="5.6" y="2.6" width="8.8" height="14.8" rx="2" />
    <path d="M9 14.6h2" />
  </>,
);
export const BoltIcon = stroked(<path d="M11.2 2.8 4.6 11.2h4.6l-.6 6 6.8-8.6h-4.7z" />);
export const CameraIcon = stroked(
  <>
    <rect x="3.2" y="3.2" width="13.6" height="13.6" rx="4" />
    <circle cx="10" cy="10" r="3.1" />
  </>,
);
export const PlaneIcon = stroked(<path d="M17 3.4 3 9.2l4.8 1.9L14 6.3l-4.4 5.9 4.7 3.4z" />);
export const FlaskIcon = stroked(
  <path d="M8 3h4M8.7 3.2v4.6L4.4 15a1.4 1.4 0 0 0 1.2 2.1h8.8a1.4 1.4 0 0 0 1.2-2.1l-4.3-7.2V3.2M6.6 12h6.8" />,
);
export const SparkIcon = stroked(
  <path d="M10 3.2c.6 3.7 2.2 5.7 6.4 6.8-4.2 1.1-5.8 3.1-6.4 6.8-.6-3.7-2.2-5.7-6.4-6.8C7.8 8.9 9.4 6.9 10 3.2z" />,
);
export const StarIcon = stroked(
  <path d="m10 3.2 2.1 4.4 4.8.6-3.5 3.3.9 4.8-4.3-2.4-4.3 2.4.9-4.8-3.5-3.3 4.8-.6z" />,
);
export const TagIcon = stroked(
  <>
    <path d="M3.6 9.2V4.9a1.3 1.3 0 0 1 1.3-1.3h4.3a1.6 1.6 0 0 1 1.1.5l5.8 5.8a1.6 1.6 0 0 1 0 2.2l-4 4a1.6 1.6 0 0 1-2.2 0l-5.8-5.8a1.6 1.6 0 0 1-.5-1.1z" />
    <path d="M7.2 7.2v.1" />
  </>,
);
export const ArchiveIcon = stroked(
  <path d="M3.2 4.2h13.6v3.4H3.2zM4.6 7.8v6.4a1.6 1.6 0 0 0 1.6 1.6h7.6a1.6 1.6 0 0 0 1.6-1.6V7.8M8.2 10.8h3.6" />,
);
export const SpamIcon = stroked(
  <>
    <circle cx="10" cy="10" r="7" />
    <path d="m5.2 5.2 9.6 9.6" />
  </>,
);
export const SearchIcon = stroked(
  <>
    <circle cx="9" cy="9" r="5.4" />
    <path d="m13 13 3.8 3.8" />
  </>,
);
export const DotIcon = stroked(<circle cx="10" cy="10" r="3.4" fill="currentColor" />);
export const MoreIcon = stroked(<path d="M4.8 10h.1M10 10h.1M15.2 10h.1" />, 2.4);
export const PencilIcon = stroked(
  <path d="m4 16 .7-3.4 8-8a1.7 1.7 0 0 1 2.4 0l.3.3a1.7 1.7 0 0 1 0 2.4l-8 8z" />,
);
export const TrashIcon = stroked(
  <path d="M3.8 5.6h12.4M8 5.4V3.6h4v1.8M5.4 5.8l.7 9.4a1.5 1.5 0 0 0 1.5 1.3h4.8a1.5 1.5 0 0 0 1.5-1.3l.7-9.4" />,
);
export const ClockIcon = stroked(
  <>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 6v4.2l2.7 1.6" />
  </>,
);

/** One tick: the platform has it. */
export const TickIcon = stroked(<path d="m5.2 10.6 3.2 3.2 6.6-7.2" />, 1.8);
/** Two ticks: the customer's device has it. */
export const TwoTicksIcon = stroked(
  <>
    <path d="m2.2 10.6 3.2 3.2L12 6.6" />
    <path d="m8.6 12.8 1.2 1 6.6-7.2" />
  </>,
  1.8,
);
export const PulseIcon = stroked(<path d="M2.8 10.4h3.4l2.3-5.6 3.2 10.4 2.4-4.8h3.1" />);
