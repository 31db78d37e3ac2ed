/** The words of cases as files. */

export const zh = {
  exchangeTitle: "案卷文件交换",
  exchangeOut: "导出当前队列",
  exchangeOutHow: "按当前筛选导出您所见的案卷，最多 20,000 件；文件中没有来电人信息。",
  exchange_cases: "案卷",
  exchange_steps: "办理步骤",
  exchangeIn: "导入其他系统的案卷与步骤",
  exchangeInHow:
    "CSV（UTF-8 或 GBK）或 Excel 工作簿，最多 1,000 行、2 MB。逐行办理：收下的不会重复，不能收的逐行说明原因。",
  exchangeSystem: "对方系统代号",
  exchangeSystemHow: "小写字母、数字、连字符，如 water-office",
  exchangeFile: "选择文件",
  exchangeSend: "导入",
  exchangeSending: "正在导入…",
  exchangeNeeds: "请填写对方系统代号并选择文件",
  exchangeDone: "共 {lines} 行：收下 {taken} 行，此前已有 {known} 行，未收 {refused} 行",
  exchangeRow: "第 {row} 行",
};

export const en = {
  exchangeTitle: "Cases as files",
  exchangeOut: "This queue as a file",
  exchangeOutHow:
    "The cases that you see, filtered as they are now, at most 20,000; nobody who told of them is in the file.",
  exchange_cases: "Cases",
  exchange_steps: "Steps",
  exchangeIn: "Cases and steps of another system",
  exchangeInHow:
    "CSV (UTF-8 or GBK) or an Excel workbook, at most 1,000 lines and 2 MB. Line by line: what was taken is never taken twice, what cannot be taken is told with its reason.",
  exchangeSystem: "The other system",
  exchangeSystemHow: "small letters, digits and hyphens, like water-office",
  exchangeFile: "Choose a file",
  exchangeSend: "Bring it in",
  exchangeSending: "Bringing it in…",
  exchangeNeeds: "Name the other system and choose a file",
  exchangeDone: "{lines} lines: {taken} taken, {known} known before, {refused} refused",
  exchangeRow: "line {row}",
};
