using LumaGateway.Hosting;
using k8s;
using k8s.Models;

namespace LumaGateway.SystemTests.Infra;

/// <summary>The manifests of <c>infra/kubernetes/base</c>, parsed strictly with the types of the Kubernetes client.</summary>
public sealed class KubernetesTests
{
    private const string Kustomization = "kustomization.yaml";

    private static readonly string Base = Path.Combine(Repository.Root, "infra", "kubernetes", "base");
    private static readonly string[] Files = Directory.GetFiles(Base, "*.yaml");

    private static V1PodSpec Pod => Load<V1Deployment>().Spec.Template.Spec;

    public static TheoryData<string> Manifests() => [.. Files.Select(file => Path.GetFileName(file)).Where(name => name is not Kustomization)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Every_manifest_is_valid_and_listed_in_the_kustomization(string name)
    {
        var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(Base, name)), strict: true);

        Assert.NotEmpty(objects);
        Assert.Contains($"  - {name}\n", File.ReadAllText(Path.Combine(Base, Kustomization)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_setting_exists()
    {
        var generated = Directory.GetFiles(Path.Combine(Base, ".."), Kustomization, SearchOption.AllDirectories)
            .SelectMany(File.ReadLines)
            .Where(line => line.Contains("__", StringComparison.Ordinal) && line.Contains('=', StringComparison.Ordinal))
            .Select(line => line.Trim(' ', '-').Split('=')[0]);
        var names = generated.Concat(Pod.Containers.Single().Env.Select(variable => variable.Name)).ToList();

        Assert.True(names.Count > 5, "The settings were not found.");
        Assert.All(names, name => Assert.True(KnownSettings.Contains(name), $"{name} is not a setting."));
    }

    /// <summary>kustomize adds labels only to existing selectors, and a disruption budget without a selector protects no pod.</summary>
    [Fact]
    public void Disruption_budget_network_policy_and_spread_select_the_pods_of_the_gateway()
    {
        V1LabelSelector[] selectors =
        [
            Load<V1PodDisruptionBudget>().Spec.Selector, .. All<V1NetworkPolicy>().Select(policy => policy.Spec.PodSelector), .. Pod.TopologySpreadConstraints.Select(spread => spread.LabelSelector),
        ];

        Assert.All(selectors, selector => Assert.Equal("luma-gateway", selector.MatchLabels["app.kubernetes.io/name"]));
    }

    [Fact]
    public void Only_the_autoscaler_sets_the_number_of_replicas()
    {
        Assert.Null(Load<V1Deployment>().Spec.Replicas);
        Assert.Equal(("Deployment", "luma-gateway"), (Load<V2HorizontalPodAutoscaler>().Spec.ScaleTargetRef.Kind, Load<V1Deployment>().Metadata.Name));
    }

    /// <summary>The profile <c>restricted</c> of the Pod Security Standards, and a read-only root file system.</summary>
    [Fact]
    public void A_pod_passes_the_restricted_profile()
    {
        var container = Pod.Containers.Single();

        Assert.True(Pod.SecurityContext.RunAsNonRoot);
        Assert.NotEqual(0, Pod.SecurityContext.RunAsUser);
        Assert.Equal("RuntimeDefault", Pod.SecurityContext.SeccompProfile.Type);
        Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
        Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
        Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
        Assert.False(Pod.AutomountServiceAccountToken);
        Assert.NotEmpty(Pod.Volumes);
        Assert.All(Pod.Volumes, volume => Assert.True(volume.Secret is not null || volume is { Name: "tmp", EmptyDir.SizeLimit: not null }));
    }

    [Fact]
    public void The_upstream_token_comes_from_a_mounted_secret()
    {
        var container = Pod.Containers.Single();
        const string Setting = "  - Luma__ApiKeyFile=";
        var file = File.ReadLines(Path.Combine(Base, Kustomization)).Single(line => line.Contains(Setting, StringComparison.Ordinal)).Split('=')[1];

        var mount = Assert.Single(container.VolumeMounts, mount => file.StartsWith($"{mount.MountPath}/", StringComparison.Ordinal));
        Assert.True(mount.ReadOnlyProperty);
        Assert.Null(mount.SubPath); // Kubernetes does not update a file that is mounted with a sub-path
        Assert.Contains(Pod.Volumes, volume => volume.Name == mount.Name && volume.Secret is not null);
    }

    [Fact]
    public void Every_probe_uses_an_existing_route_and_port()
    {
        var container = Pod.Containers.Single();

        Assert.All([container.StartupProbe, container.LivenessProbe], probe => Assert.Equal("/health/live", probe.HttpGet.Path));
        Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
        Assert.All(
            [container.StartupProbe, container.LivenessProbe, container.ReadinessProbe],
            probe => Assert.Contains(container.Ports, port => port.Name == probe.HttpGet.Port.Value));
    }

    [Fact]
    public void The_termination_grace_period_is_longer_than_the_shutdown()
    {
        var server = new ServerOptions();

        Assert.True(Pod.TerminationGracePeriodSeconds > (server.ShutdownDelay + server.ShutdownTimeout).TotalSeconds);
    }

    [Fact]
    public void The_network_is_closed_except_for_named_openings()
    {
        var policies = All<V1NetworkPolicy>().ToList();

        var closed = Assert.Single(policies, policy => policy.Spec.Ingress is null && policy.Spec.Egress is null);
        Assert.Equal(["Ingress", "Egress"], closed.Spec.PolicyTypes);
        Assert.Equal(
            ["callers", "closed", "dns", "internet", "monitoring", "redis", "telemetry"],
            policies.Select(policy => policy.Metadata.Name["luma-gateway-".Length..]).Order());
        Assert.All(policies.SelectMany(policy => policy.Spec.Ingress ?? []), rule => Assert.NotEmpty(rule.FromProperty)); // an empty list would allow all
        Assert.All(policies.SelectMany(policy => policy.Spec.Egress ?? []), rule => Assert.NotEmpty(rule.Ports));
        Assert.Equal(["4317", "4318"], policies.Single(policy => policy.Metadata.Name.EndsWith("telemetry", StringComparison.Ordinal)).Spec.Egress.Single().Ports.Select(port => port.Port.Value));
    }

    [Fact]
    public void The_examples_lead_to_the_service()
    {
        var folder = Path.Combine(Base, "..", "examples");
        var ingress = KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(folder, "ingress.yaml")), strict: true).OfType<V1Ingress>().Single();
        var service = Load<V1Service>();

        var backend = ingress.Spec.Rules.Single().Http.Paths.Single().Backend.Service;
        Assert.Equal((service.Metadata.Name, service.Spec.Ports.Single().Name), (backend.Name, backend.Port.Name));
        Assert.Contains($"- name: {service.Metadata.Name}\n          port: {service.Spec.Ports.Single().Port}\n", File.ReadAllText(Path.Combine(folder, "httproute.yaml")), StringComparison.Ordinal);
    }

    /// <summary>kustomize cannot put a file into an object of the Prometheus operator, so the rules are there twice.</summary>
    [Fact]
    public void The_rules_of_the_operator_are_those_of_Prometheus()
    {
        var rules = File.ReadAllText(Path.Combine(Repository.Root, "infra", "prometheus", "alerts.yml"));
        var indented = string.Join('\n', rules[rules.IndexOf("groups:", StringComparison.Ordinal)..].Split('\n').Select(line => line.Length > 0 ? $"  {line}" : line));

        Assert.EndsWith($"\nspec:\n{indented}", File.ReadAllText(Path.Combine(Base, "..", "components", "monitoring", "prometheusrule.yaml")), StringComparison.Ordinal);
    }

    private static T Load<T>() => All<T>().Single();

    private static IEnumerable<T> All<T>() => Files.Where(file => Path.GetFileName(file) is not Kustomization)
        .SelectMany(file => KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true)).OfType<T>();
}
