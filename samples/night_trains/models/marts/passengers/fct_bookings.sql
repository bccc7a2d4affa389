with bookings as (

    select * from {{ ref('int_bookings_travelled') }}

),

final as (

    select
        booking_id,
        departure_id,
        passenger_id,
        line_code,
        service_date,
        cabin_type,
        berths,
        price_eur,
        booked_at,
        service_date - booked_at::date as days_ahead,
        is_cancelled,
        is_travelled

    from bookings

)

select * from final
