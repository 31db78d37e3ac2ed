/** The words of the bell and its list; what a notice says comes from the server. */

export const zh = {
  noticeBell: "通知",
  noticeUnread: "通知：{n} 条未读",
  noticeCame: "有 {n} 条新通知",
  noticeNone: "最近三十天没有通知",
  noticeAllRead: "全部标为已读",
  noticeDrill: "演练",
};

export const en: Record<keyof typeof zh, string> = {
  noticeBell: "Notices",
  noticeUnread: "Notices: {n} unread",
  noticeCame: "{n} new notices",
  noticeNone: "No notices in the last thirty days",
  noticeAllRead: "Mark all as read",
  noticeDrill: "Exercise",
};
