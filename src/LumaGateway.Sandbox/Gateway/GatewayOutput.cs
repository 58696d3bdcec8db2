namespace LumaGateway.Sandbox.Gateway;

/// <summary>The last lines of the gateway's output, shown if it fails. After <see cref="WriteToConsole"/> the lines are also written to the console. Thread-safe.</summary>
/// <param name="name">The name of the gateway, before each line on the console.</param>
internal sealed class GatewayOutput(string name)
{
    private const int MaxLines = 200;

    private readonly Lock _lock = new();
    private readonly Queue<string> _lines = new();
    private bool _writeToConsole;

    public void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (_lock)
        {
            _lines.Enqueue(line);
            if (_lines.Count > MaxLines)
            {
                _lines.Dequeue();
            }

            if (_writeToConsole)
            {
                Console.WriteLine($"{name} | {line}");
            }
        }
    }

    public void WriteToConsole()
    {
        lock (_lock)
        {
            _writeToConsole = true;
        }
    }

    public string Tail()
    {
        lock (_lock)
        {
            return string.Join('\n', _lines);
        }
    }
}
