using Ipcmark.Agent;
using Ipcmark.MmFileIpc;

return AgentProgram.Run(new MmFileIpcPubSub());
