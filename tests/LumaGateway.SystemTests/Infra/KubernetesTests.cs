using LumaGateway.Hosting;
using k8s;
using k8s.Models;

namespace LumaGateway.SystemTests.Infra;

/// <summary>The manifests of <c>infra/kubernetes/base</c>, read by Kubernetes's own types: an unknown field or a value of the wrong kind does not pass. Needs nothing.</summary>
public sealed class KubernetesTests
{
    private const string Kustomization = "kustomization.yaml";

    private static readonly string Base = Path.Combine(Repository.Root, "infra", "kubernetes", "base");
    private static readonly string[] Files = Directory.GetFiles(Base, "*.yaml");

    private static V1PodSpec Pod => Load<V1Deployment>().Spec.Template.Spec;

    public static TheoryData<string> Manifests() => [.. Files.Select(file => Path.GetFileName(file)).Where(name => name is not Kustomization)];

    [Theory]
    [MemberData(nameof(Manifests))]
    public void Every_manifest_is_what_Kubernetes_knows_and_is_applied(string name)
    {
        var objects = KubernetesYaml.LoadAllFromString(File.ReadAllText(Path.Combine(Base, name)), strict: true);

        Assert.Single(objects);
        Assert.Contains($"  - {name}\n", File.ReadAllText(Path.Combine(Base, Kustomization)), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_setting_is_one_that_is_read()
    {
        var generated = Directory.GetFiles(Path.Combine(Base, ".."), Kustomization, SearchOption.AllDirectories)
            .SelectMany(File.ReadLines)
            .Where(line => line.Contains("__", StringComparison.Ordinal) && line.Contains('=', StringComparison.Ordinal))
            .Select(line => line.Trim(' ', '-').Split('=')[0]);
        var names = generated.Concat(Pod.Containers.Single().Env.Select(variable => variable.Name)).ToList();

        Assert.True(names.Count > 5, "The settings were not found.");
        Assert.All(names, name => Assert.True(KnownSettings.Hold(name), $"Nobody reads {name}."));
    }

    /// <summary>kustomize adds its labels to selectors that there are, and a budget without one guards nobody.</summary>
    [Fact]
    public void Budget_policy_and_spread_mean_the_gateways_pods_and_no_others()
    {
        V1LabelSelector[] selectors =
        [
            Load<V1PodDisruptionBudget>().Spec.Selector, Load<V1NetworkPolicy>().Spec.PodSelector, .. Pod.TopologySpreadConstraints.Select(spread => spread.LabelSelector),
        ];

        Assert.All(selectors, selector => Assert.Equal("luma-gateway", selector.MatchLabels["app.kubernetes.io/name"]));
    }

    [Fact]
    public void The_autoscaler_alone_decides_how_many_there_are()
    {
        Assert.Null(Load<V1Deployment>().Spec.Replicas);
        Assert.Equal(("Deployment", "luma-gateway"), (Load<V2HorizontalPodAutoscaler>().Spec.ScaleTargetRef.Kind, Load<V1Deployment>().Metadata.Name));
    }

    /// <summary>The profile <c>restricted</c> of the Pod Security Standards, and a root file system that nobody writes to.</summary>
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
        Assert.All(Pod.Volumes, volume => Assert.NotNull(volume.Secret));
    }

    [Fact]
    public void The_upstream_token_comes_from_a_file_that_is_mounted()
    {
        var container = Pod.Containers.Single();
        var file = container.Env.Single(variable => variable.Name == "Luma__ApiKeyFile").Value;

        var mount = Assert.Single(container.VolumeMounts, mount => file.StartsWith($"{mount.MountPath}/", StringComparison.Ordinal));
        Assert.True(mount.ReadOnlyProperty);
        Assert.Null(mount.SubPath); // a file mounted by its sub-path is never renewed
        Assert.Contains(Pod.Volumes, volume => volume.Name == mount.Name && volume.Secret is not null);
    }

    [Fact]
    public void Every_probe_asks_a_route_that_there_is_on_a_port_that_is_named()
    {
        var container = Pod.Containers.Single();

        Assert.All([container.StartupProbe, container.LivenessProbe], probe => Assert.Equal("/health/live", probe.HttpGet.Path));
        Assert.Equal("/health/ready", container.ReadinessProbe.HttpGet.Path);
        Assert.All(
            [container.StartupProbe, container.LivenessProbe, container.ReadinessProbe],
            probe => Assert.Contains(container.Ports, port => port.Name == probe.HttpGet.Port.Value));
    }

    [Fact]
    public void A_pod_is_given_the_time_that_the_gateway_takes_to_end()
    {
        var server = new ServerOptions();

        Assert.True(Pod.TerminationGracePeriodSeconds > (server.ShutdownDelay + server.ShutdownTimeout).TotalSeconds);
    }

    private static T Load<T>() => Files.Where(file => Path.GetFileName(file) is not Kustomization)
        .SelectMany(file => KubernetesYaml.LoadAllFromString(File.ReadAllText(file), strict: true)).OfType<T>().Single();
}
