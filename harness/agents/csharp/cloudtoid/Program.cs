using Ipcmark.Agent;
using Ipcmark.Cloudtoid;

return AgentProgram.Run(new CloudtoidPubSub());
