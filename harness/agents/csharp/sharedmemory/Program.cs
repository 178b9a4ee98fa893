using Ipcmark.Agent;
using Ipcmark.SharedMemory;

return AgentProgram.Run(new SharedMemoryPubSub());
