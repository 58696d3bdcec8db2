using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace LumaGateway.SystemTests.Infra;

/// <summary>The Helm chart renders the objects of the kustomization. Needs helm and kubectl.</summary>
public sealed partial class HelmTests : IDisposable
{
    private const string Namespace = "luma-gateway-test";

    private readonly string _folder = Directory.CreateTempSubdirectory("helm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_chart_and_the_kustomization_with_monitoring_and_both_examples_render_the_same_objects()
    {
        var expected = await KustomizeAsync();
        var rendered = await TemplateAsync("namespace.create=true,monitoring.enabled=true,ingress.enabled=true,httpRoute.enabled=true");

        Assert.True(expected.Count > 15, $"Only {expected.Count} objects were rendered.");
        Assert.Equal(expected.Keys, rendered.Keys);
        Assert.All(expected, one => Assert.Equal(one.Value, rendered[one.Key]));
    }

    [Fact]
    public async Task The_optional_objects_are_off_by_default()
    {
        var rendered = await TemplateAsync("image.tag=1.2.3");

        Assert.DoesNotContain(rendered.Keys, key => OptionalKind().IsMatch(key));
        Assert.Contains("image: registry.example/luma-gateway:1.2.3\n", rendered["Deployment luma-gateway"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_is_given_by_its_digest()
    {
        var digest = $"sha256:{new string('0', 64)}";

        var rendered = await TemplateAsync($"image.digest={digest}");

        Assert.Contains($"image: registry.example/luma-gateway@{digest}\n", rendered["Deployment luma-gateway"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_settings_replace_the_pods()
    {
        var one = await TemplateAsync("settings.Luma__Name=one", keepChecksum: true);
        var other = await TemplateAsync("settings.Luma__Name=other", keepChecksum: true);

        Assert.NotEqual(one["Deployment luma-gateway"], other["Deployment luma-gateway"]);
    }

    [Fact]
    public async Task Several_accounts_replace_the_keys_of_a_single_one()
    {
        var rendered = await TemplateAsync(
            "settings.Luma__BaseAddress=null,settings.Luma__Dialect=null,settings.Luma__Name=null,settings.Luma__ApiKeyFile=null,settings.Luma__Accounts__0__ApiKeyFile=/run/secrets/luma/acme");

        Assert.Contains("Luma__Accounts__0__ApiKeyFile: /run/secrets/luma/acme\n", rendered["ConfigMap luma-gateway"], StringComparison.Ordinal);
        Assert.All(rendered.Values, one => Assert.DoesNotMatch("Luma__(BaseAddress|Dialect|Name|ApiKeyFile)", one));
    }

    [Theory]
    [InlineData("250")]
    [InlineData("true")]
    public async Task A_setting_that_is_not_a_text_is_an_error_that_names_it(string value)
    {
        Tool.Require("helm");

        await using var helm = Template($"settings.Limits__RequestsPerSecond={value}");

        Assert.NotEqual(0, await helm.WaitForExitAsync(TimeSpan.FromMinutes(2)));
        Assert.Contains("Limits__RequestsPerSecond", helm.Everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_pod_follows_the_management_port_and_has_the_grace_period_and_the_storage_of_the_values()
    {
        Tool.Require("helm");
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "values.yaml"),
            """
            terminationGracePeriodSeconds: 150
            tmpSize: 4Gi
            settings:
              Management__Port: "9100"
            """,
            TestContext.Current.CancellationToken);

        var deployment = Read(await RunAsync(Template("image.tag=1.2.3", "--values", Path.Combine(_folder, "values.yaml"))))["Deployment luma-gateway"];

        Assert.Contains("terminationGracePeriodSeconds: 150\n", deployment, StringComparison.Ordinal);
        Assert.Contains("sizeLimit: 4Gi\n", deployment, StringComparison.Ordinal);
        Assert.Contains("containerPort: 9100\n", deployment, StringComparison.Ordinal);
        Assert.DoesNotContain("9090", deployment, StringComparison.Ordinal);
    }

    private async Task<SortedDictionary<string, string>> KustomizeAsync()
    {
        Tool.Require("kubectl");
        foreach (var example in Directory.EnumerateFiles(Path.Combine(Repository.Root, "infra/kubernetes/examples")))
        {
            File.Copy(example, Path.Combine(_folder, Path.GetFileName(example))); // kustomize reads no file outside its folder
        }

        var kubernetes = Path.GetRelativePath(_folder, Path.Combine(Repository.Root, "infra/kubernetes"));
        await File.WriteAllTextAsync(
            Path.Combine(_folder, "kustomization.yaml"),
            $$"""
            apiVersion: kustomize.config.k8s.io/v1beta1
            kind: Kustomization
            namespace: {{Namespace}}
            resources: [{{kubernetes}}/base, ingress.yaml, httproute.yaml]
            components: [{{kubernetes}}/components/monitoring]
            generatorOptions: { disableNameSuffixHash: true }
            configMapGenerator: [{ name: luma-gateway, behavior: merge, options: { disableNameSuffixHash: true } }]
            images: [{ name: luma-gateway, newName: registry.example/luma-gateway, newTag: 0.1.0 }]
            """,
            TestContext.Current.CancellationToken);
        return Read(await RunAsync(ChildProcess.Start("kubectl", ["kustomize", _folder])));
    }

    private static async Task<SortedDictionary<string, string>> TemplateAsync(string values, bool keepChecksum = false)
    {
        Tool.Require("helm");
        var text = await RunAsync(Template(values));
        return Read(keepChecksum ? text : Checksum().Replace(text, ""));
    }

    private static ChildProcess Template(string values, params string[] arguments) =>
        ChildProcess.Start("helm", ["template", "luma-gateway", Path.Combine(Repository.Root, "infra/helm/luma-gateway"), "--namespace", Namespace, "--set", values, .. arguments]);

    private static async Task<string> RunAsync(ChildProcess started)
    {
        await using var process = started;
        Assert.True(await process.WaitForExitAsync(TimeSpan.FromMinutes(2)) == 0, process.Everything);
        return string.Join('\n', process.Output);
    }

    /// <summary>Returns each object as text, with its members in order, by kind and name.</summary>
    private static SortedDictionary<string, string> Read(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        var objects = stream.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>();
        return new SortedDictionary<string, string>(objects.ToDictionary(one => $"{one["kind"]} {one["metadata"]["name"]}", one => Text(one, "")), StringComparer.Ordinal);
    }

    private static string Text(YamlNode node, string indent) => node switch
    {
        YamlMappingNode mapping => string.Concat(mapping.Children.OrderBy(member => member.Key.ToString(), StringComparer.Ordinal)
            .Select(member => member.Value is YamlScalarNode scalar ? $"{indent}{member.Key}: {Text(scalar)}\n" : $"{indent}{member.Key}:\n{Text(member.Value, indent + "  ")}")),
        YamlSequenceNode sequence => string.Concat(sequence.Select(item => item is YamlScalarNode scalar ? $"{indent}- {Text(scalar)}\n" : $"{indent}-\n{Text(item, indent + "  ")}")),
        _ => throw new InvalidOperationException($"{node} is neither a mapping nor a sequence."),
    };

    /// <summary>A quoted number or truth value is a text, which Kubernetes distinguishes.</summary>
    private static string Text(YamlScalarNode scalar) =>
        scalar.Style is not ScalarStyle.Plain && NotText().IsMatch(scalar.Value!) ? $"'{scalar.Value}'" : scalar.Value!;

    [GeneratedRegex(@"^(true|false|null|-?[0-9.]+)?$")]
    private static partial Regex NotText();

    [GeneratedRegex(@"^ +annotations:\n +checksum/settings: .*\n", RegexOptions.Multiline)]
    private static partial Regex Checksum();

    [GeneratedRegex("^(Namespace|PodMonitor|PrometheusRule|Ingress|HTTPRoute) |dashboard")]
    private static partial Regex OptionalKind();
}
