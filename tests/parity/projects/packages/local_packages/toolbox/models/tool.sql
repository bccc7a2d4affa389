select {{ toolbox.greet('tool') }} as greeting, '{{ var("toolbox_suffix") }}' as suffix, '{{ var("toolbox_only") }}' as only_here, '{{ whoami() }}' as me
