import type { ReactNode } from 'react';

function Icon({ children, size = 16 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 18 18"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

type Size = { size?: number };

export const GraphIcon = (size: Size) => (
  <Icon {...size}>
    <rect x="1.5" y="6" width="5" height="6" rx="1" />
    <rect x="11.5" y="1.5" width="5" height="6" rx="1" />
    <rect x="11.5" y="10.5" width="5" height="6" rx="1" />
    <path d="M6.5 9H9V4.5h2.5M9 9v4.5h2.5" />
  </Icon>
);
export const FocusIcon = (size: Size) => (
  <Icon {...size}>
    <circle cx="9" cy="9" r="2.5" />
    <circle cx="9" cy="9" r="6" strokeDasharray="5.4 4" />
  </Icon>
);
export const FileIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M4 2h6.5L14 5.5V16H4zM10.5 2v3.5H14" />
  </Icon>
);
export const FolderIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M2 4.5h5l1.5 2H16v8H2z" />
  </Icon>
);
export const RunsIcon = (size: Size) => (
  <Icon {...size}>
    <circle cx="9" cy="9" r="7" />
    <path d="M7.5 6v6l4.5-3z" />
  </Icon>
);
export const HistoryIcon = (size: Size) => (
  <Icon {...size}>
    <circle cx="9" cy="9" r="7" />
    <path d="M9 5v4l3 2" />
  </Icon>
);
export const SettingsIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M3 5h12M3 9h12M3 13h12" />
    <circle cx="6" cy="5" r="1.6" fill="var(--surface)" />
    <circle cx="12" cy="9" r="1.6" fill="var(--surface)" />
    <circle cx="8" cy="13" r="1.6" fill="var(--surface)" />
  </Icon>
);
export const PublishIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M9 12V3M5.5 6 9 2.5 12.5 6M3 11.5V15h12v-3.5" />
  </Icon>
);
export const PlayIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M5 3.5v11l9-5.5z" fill="currentColor" />
  </Icon>
);
export const ChevronIcon = (size: Size) => (
  <Icon {...size}>
    <path d="m5 7 4 4 4-4" />
  </Icon>
);
export const RightIcon = (size: Size) => (
  <Icon {...size}>
    <path d="m7 5 4 4-4 4" />
  </Icon>
);
export const CloseIcon = (size: Size) => (
  <Icon {...size}>
    <path d="m4.5 4.5 9 9M13.5 4.5l-9 9" />
  </Icon>
);
export const SearchIcon = (size: Size) => (
  <Icon {...size}>
    <circle cx="8" cy="8" r="5" />
    <path d="m12 12 3.5 3.5" />
  </Icon>
);
export const PlusIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M9 3v12M3 9h12" />
  </Icon>
);
export const MinusIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M3 9h12" />
  </Icon>
);
export const FitIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M3 6.5V3h3.5M11.5 3H15v3.5M15 11.5V15h-3.5M6.5 15H3v-3.5" />
  </Icon>
);
export const BranchIcon = (size: Size) => (
  <Icon {...size}>
    <circle cx="5" cy="4" r="1.8" />
    <circle cx="5" cy="14" r="1.8" />
    <circle cx="13" cy="6" r="1.8" />
    <path d="M5 6v6M13 8c0 3-8 1.5-8 4" />
  </Icon>
);
export const PenIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M3 15l.8-3.2L12 3.5 14.5 6 6.2 14.2z" />
  </Icon>
);
export const HelpIcon = (size: Size) => (
  <Icon {...size}>
    <circle cx="9" cy="9" r="7" />
    <path d="M7 7.2a2 2 0 1 1 2.8 1.9c-.5.3-.8.6-.8 1.2M9 12.8v.1" />
  </Icon>
);
export const TrashIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M3 5h12M7 5V3h4v2M4.5 5l.7 10h7.6l.7-10" />
  </Icon>
);
export const FoldIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M6 3l3 3 3-3M6 15l3-3 3 3M3 9h12" />
  </Icon>
);
export const UnfoldIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M6 5l3-3 3 3M6 13l3 3 3-3M3 9h12" />
  </Icon>
);
export const WidenIcon = (size: Size) => (
  <Icon {...size}>
    <path d="M6 5L2 9l4 4M12 5l4 4-4 4M2 9h14" />
  </Icon>
);
