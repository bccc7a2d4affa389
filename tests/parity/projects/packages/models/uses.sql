select
    {{ toolbox.greet('you') }} as greeting,
    {{ toolbox.shout('you') }} as shouting,
    '{{ toolbox.ask_whoami() }}' as asked,
    '{{ whoami() }}' as me,
    '{{ project_name }}' as project_name,
    '{{ model.package_name }}' as package_name
from {{ ref('toolbox', 'tool') }} cross join {{ ref('nest') }} cross join {{ ref('toolbox', 'same_name') }}
