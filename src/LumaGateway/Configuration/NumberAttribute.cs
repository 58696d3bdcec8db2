using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace LumaGateway.Configuration;

/// <summary>Bounds a number setting and names its key when it is out of them. (What is generated for <see cref="RangeAttribute"/> drops the message.)</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NumberAttribute(string key, double least, double most) : ValidationAttribute
{
    public string Key => key;

    public double Least => least;

    public double Most => most;

    /// <summary>A setting that was left out is in bounds.</summary>
    public override bool IsValid(object? value) => value is null
        || (value is IConvertible number && number.ToDouble(CultureInfo.InvariantCulture) is var given && given >= least && given <= most);

    public override string FormatErrorMessage(string name) =>
        string.Create(CultureInfo.InvariantCulture, $"{key} must be between {least} and {most}.");
}
