/** The words of the wall. */

export const zh = {
  wallPaused: "暂停",
  wallLost: "连接中断",
  wallLostSince: "{time} 起未更新",
  wallUnanswered: "服务器没有应答",
  wallTokenWrong: "启动口令已失效",
  wallTokenWrongWhy: "请用新的启动地址打开",
  wallNoTopics: "没有可轮播的专题",
  wallNoTopicsWhy: "在专题文件中写明 wall，或在地址中用 topics 指定",
  wallData: "数据",
  wallStopped: "停在 {time}",
  wallSince: "{time} 起",
  wallDensity: "{layer}密度",
  wallNothing: "暂无数据",
};

export const en: Record<keyof typeof zh, string> = {
  wallPaused: "Paused",
  wallLost: "Connection lost",
  wallLostSince: "As of {time}",
  wallUnanswered: "The server does not answer",
  wallTokenWrong: "Token no longer valid",
  wallTokenWrongWhy: "Start with the new address",
  wallNoTopics: "No topic for a wall",
  wallNoTopicsWhy: "Give a topic file the key wall, or name topics in the address",
  wallData: "Data",
  wallStopped: "As of {time}",
  wallSince: "since {time}",
  wallDensity: "{layer} density",
  wallNothing: "No data yet",
};
