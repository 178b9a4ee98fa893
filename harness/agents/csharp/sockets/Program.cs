using Ipcmark.Agent;
using Ipcmark.Sockets;

return AgentProgram.Run(new SocketsPubSub());
