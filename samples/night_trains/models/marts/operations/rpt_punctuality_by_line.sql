with departures as (

    select * from {{ ref('fct_departures') }}

),

lines as (

    select * from {{ ref('dim_lines') }}

),

final as (

    select
        lines.line_code,
        lines.line_name,
        count(*) as departures,
        count(*) filter (where departures.is_cancelled) as cancelled_departures,
        count(*) filter (where departures.is_on_time) as on_time_departures,
        round(100.0 * count(*) filter (where departures.is_on_time) / count(*), 1) as on_time_percent,
        round(avg(departures.delay_minutes), 1) as average_delay_minutes

    from departures
    inner join lines
        on departures.line_code = lines.line_code
    group by lines.line_code, lines.line_name

)

select * from final
