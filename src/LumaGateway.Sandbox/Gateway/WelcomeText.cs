using System.Text;

namespace LumaGateway.Sandbox.Gateway;

/// <summary>What the demo prints when it is ready: addresses, and one command to paste for each feature.</summary>
internal sealed class WelcomeText(PublicAddress address)
{
    private const string Key = $"-H \"Authorization: Bearer {GatewayLauncher.ClientKey}\"";
    private const string DreamMachine = "dream-machine";

    public string For(IReadOnlyList<DemoGateway> gateways)
    {
        var text = new StringBuilder().AppendLine();
        foreach (var gateway in gateways)
        {
            text.AppendLine($"Gateway     {gateway.Address.OriginalString}   {gateway.Dialect.Name}; status page {gateway.Management.OriginalString}/status");
        }

        var first = gateways[0];
        text.AppendLine($"Swagger     {first.Address.OriginalString}/swagger");
        text.AppendLine($"Client key  {GatewayLauncher.ClientKey}");
        text.AppendLine($"Sandbox     {address.Value}   the emulated Luma; its page lists ids that fail, hang or are slow");

        var generations = $"{first.Address.OriginalString}/generations";
        Add(text, "Read a finished generation:", $"curl -i {Key} {generations}/{first.Dialect.SampleId}");
        Add(text, "Wait until a generation is finished, at most 30 s; this one takes 5 s:", $"curl -i {Key} -H \"Prefer: wait=30\" {generations}/run-5-wait");
        Add(text, "Watch its states as server-sent events; this one takes 8 s:", $"curl -N {Key} {generations}/run-8-watch/events");
        Add(text, "Create a generation and wait until it is finished, at most 50 s (the emulated Luma takes 20 s):", CreateAndWaitCommand(generations));
        Add(text, "Download the video:", $"curl -o video.mp4 {Key} {generations}/done-demo/video");
        foreach (var gateway in gateways.Where(gateway => gateway.Dialect.Name is not "piapi")) // the gateway has no route for PiAPI's own path
        {
            Add(text, $"Create with the upstream's own body ({gateway.Dialect.Name}):", RawCreateCommand(gateway));
        }

        if (gateways.FirstOrDefault(gateway => gateway.Dialect.Name is DreamMachine) is { } luma)
        {
            Add(text, "Use Luma's SDK, unmodified:", "npm install lumaai", SdkCommand(luma));
        }

        return text.ToString();
    }

    private static void Add(StringBuilder text, string title, params IEnumerable<string> commands)
    {
        text.AppendLine().AppendLine($"# {title}");
        foreach (var command in commands)
        {
            text.AppendLine(command);
        }
    }

    private static string CreateAndWaitCommand(string generations) =>
        $"curl -i {Key} -H \"Content-Type: application/json\" -H \"Prefer: wait=50\" -d '{{\"prompt\":\"a cat dancing\",\"aspect_ratio\":\"16:9\"}}' {generations}";

    private static string RawCreateCommand(DemoGateway gateway)
    {
        var (path, body) = gateway.Dialect.Name switch
        {
            "relay" => ("generations", """{"user_prompt":"a cat dancing"}"""),
            DreamMachine => ("generations/video", """{"model":"ray-2","prompt":"a cat dancing"}"""),
            "new-api" => ("generations", """{"model":"luma-ray","prompt":"a cat dancing"}"""),
            _ => ("generations", """{"model":"ray-3.2","type":"video","prompt":"a cat dancing"}"""),
        };
        return $"curl -i {Key} -H \"Content-Type: application/json\" -d '{body}' {gateway.Address.OriginalString}/luma/{path}";
    }

    private static string SdkCommand(DemoGateway gateway)
    {
        const string Script = "import LumaAI from 'lumaai'; console.log(await new LumaAI().generations.create({ model: 'ray-2', prompt: 'a cat dancing' }))";
        return $"LUMAAI_BASE_URL={gateway.Address.OriginalString}/luma LUMAAI_API_KEY={GatewayLauncher.ClientKey} node --input-type=module -e \"{Script}\"";
    }
}
