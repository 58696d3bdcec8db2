namespace LumaGateway.SystemTests.Infra;

/// <summary>An instruction of the Dockerfile.</summary>
internal sealed record Instruction(string Name, string Arguments);

/// <summary>A stage with its base image and instructions.</summary>
internal sealed record Stage(string? Name, string From, IReadOnlyList<Instruction> Instructions);

/// <summary>The Dockerfile of the repository.</summary>
internal sealed record Dockerfile(IReadOnlyList<Stage> Stages)
{
    public static Dockerfile Read()
    {
        var lines = File.ReadAllText(Path.Combine(Repository.Root, "Dockerfile")).Replace("\\\n", " ", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(line => !line.StartsWith('#'))
            .Select(line => line.Split(' ', 2))
            .Select(line => new Instruction(line[0], line[1].Trim()));
        var stages = new List<Stage>();
        foreach (var instruction in lines)
        {
            if (instruction.Name is "FROM")
            {
                var words = instruction.Arguments.Split(' ');
                stages.Add(new Stage(words is [_, "AS", var name] ? name : null, words[0], new List<Instruction>()));
            }
            else
            {
                ((List<Instruction>)stages[^1].Instructions).Add(instruction);
            }
        }

        return new Dockerfile(stages);
    }

    public Stage Named(string name) => Stages.Single(stage => stage.Name == name);

    /// <summary>Returns the instructions of a stage, after those of the stages it is based on.</summary>
    public IReadOnlyList<Instruction> History(Stage stage) =>
        [.. Stages.Where(other => other.Name == stage.From).SelectMany(History), .. stage.Instructions];
}
